/*
 * buf.h
 *	  Growable byte buffer on malloc.
 *
 * An append that runs out of memory sets `failed` and drops the data; every
 * later append does nothing.  So a builder appends freely and checks `failed`
 * once at the end.
 */
#ifndef DYN_BUF_H
#define DYN_BUF_H

#include <stdbool.h>
#include <stddef.h>

typedef struct DynBuf
{
	char	   *data;			/* malloc'd, NULL while empty; not NUL-terminated */
	size_t		len;
	size_t		cap;
	bool		failed;			/* out of memory happened */
} DynBuf;

/* A zeroed DynBuf is valid and empty. */
extern void dyn_buf_free(DynBuf *buf);	/* also makes it empty again */
extern void dyn_buf_clear(DynBuf *buf); /* keeps the memory */
extern void dyn_buf_wipe(DynBuf *buf);	/* frees what held a secret; what it was moved from when it grew is not wiped */

extern bool dyn_buf_reserve(DynBuf *buf, size_t extra);
extern void dyn_buf_add(DynBuf *buf, const void *data, size_t len);
extern void dyn_buf_byte(DynBuf *buf, char c);
extern void dyn_buf_str(DynBuf *buf, const char *str);
extern void dyn_buf_int(DynBuf *buf, long long value);
extern void dyn_buf_hex(DynBuf *buf, const void *data, size_t len);
extern void dyn_buf_base64(DynBuf *buf, const void *data, size_t len);

/* All bytes but letters, digits and those of `kept` as %XX; RFC 3986 keeps "-._~". */
extern void dyn_buf_percent(DynBuf *buf, const char *str, const char *kept);

/* A quoted JSON string; the input is UTF-8. */
extern void dyn_buf_json_string(DynBuf *buf, const char *str, size_t len);

/* NUL-terminates without counting the NUL; NULL when `failed`. */
extern char *dyn_buf_cstr(DynBuf *buf);

/* A malloc'd copy of just these bytes; never NULL but without memory. */
extern void *dyn_copy_bytes(const void *data, size_t len);

#endif							/* DYN_BUF_H */
