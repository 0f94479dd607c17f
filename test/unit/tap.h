/*
 * tap.h
 *	  The Test Anything Protocol on stdout: a line per check, and the plan at
 *	  the end, so that a test that stops early fails.
 *
 *		ok(n == 3, "three keys of %s", table);
 *		return done_testing();
 */
#ifndef DYN_TAP_H
#define DYN_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Elements of an array. */
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static int	tap_count;
static int	tap_failures;

#define ok(condition, ...) tap_ok((condition), __FILE__, __LINE__, __VA_ARGS__)

/* Equal numbers; strings; texts without a NUL; bytes.  The difference is shown. */
#define is_int(got, want, ...) tap_is_int((got), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_string(got, want, ...) is_text(got, tap_length(got), want, __VA_ARGS__)
#define is_text(got, len, want, ...) tap_is_text((got), (len), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_bytes(got, len, want, want_len, ...) \
	tap_is_bytes((got), (len), (want), (want_len), __FILE__, __LINE__, __VA_ARGS__)

/* A remark, shown as it is. */
static inline void
__attribute__((format(printf, 1, 2)))
diag(const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
}

static inline bool
tap_report(bool passed, const char *file, int line, const char *fmt, va_list args)
{
	printf("%sok %d - ", passed ? "" : "not ", ++tap_count);
	vprintf(fmt, args);
	putchar('\n');
	if (!passed)
	{
		tap_failures++;
		diag("failed at %s:%d", file, line);
	}
	fflush(stdout);				/* a crash must not hide what came before */
	return passed;
}

static inline bool
__attribute__((format(printf, 4, 5)))
tap_ok(bool passed, const char *file, int line, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	tap_report(passed, file, line, fmt, args);
	va_end(args);
	return passed;
}

static inline bool
__attribute__((format(printf, 5, 6)))
tap_is_int(int64_t got, int64_t want, const char *file, int line, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	if (!tap_report(got == want, file, line, fmt, args))
		diag("got %" PRId64 ", want %" PRId64, got, want);
	va_end(args);
	return got == want;
}

static inline size_t
tap_length(const char *string)
{
	return string ? strlen(string) : 0;
}

static inline bool
__attribute__((format(printf, 6, 7)))
tap_is_text(const char *got, size_t len, const char *want, const char *file, int line, const char *fmt, ...)
{
	bool		same = got != NULL && len == strlen(want) && memcmp(got, want, len) == 0;
	va_list		args;

	va_start(args, fmt);
	if (!tap_report(same, file, line, fmt, args))
	{
		diag("got  %.*s", got ? (int) len : 4, got ? got : "NULL");
		diag("want %s", want);
	}
	va_end(args);
	return same;
}

static inline void
tap_hex(const char *what, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	printf("# %s %zu bytes:", what, len);
	for (size_t i = 0; i < len && i < 256; i++)
		printf(" %02x", bytes[i]);
	putchar('\n');
}

static inline bool
__attribute__((format(printf, 7, 8)))
tap_is_bytes(const void *got, size_t len, const void *want, size_t want_len,
			 const char *file, int line, const char *fmt, ...)
{
	bool		same = len == want_len && (len == 0 || memcmp(got, want, len) == 0);
	va_list		args;

	va_start(args, fmt);
	if (!tap_report(same, file, line, fmt, args))
	{
		tap_hex("got ", got, len);
		tap_hex("want", want, want_len);
	}
	va_end(args);
	return same;
}

/* Prints the plan; the value for main() to return. */
static inline int
done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures > 0 || tap_count == 0;
}

#endif							/* DYN_TAP_H */
