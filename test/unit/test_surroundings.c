/*
 * test_surroundings.c
 *	  The environment, home directory and files of a process: what of them is
 *	  read, and what isn't.
 */
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/descriptor.h"
#include "net/surroundings.h"
#include "tap.h"

static char dir[] = "/tmp/test_surroundings.XXXXXX";
static int	booked;
static bool none_left;

static const char *
path_of(const char *name)
{
	static char path[4][200];
	static int	n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", dir, name);
	return path[n];
}

static void
write_file(const char *name, size_t size)
{
	FILE	   *f = fopen(path_of(name), "w");

	for (size_t i = 0; i < size; i++)
		putc('x', f);
	fclose(f);
}

static DynFileResult
read_of(const char *name, size_t *len, const char **why)
{
	DynBuf		text = {0};
	DynFileResult result;

	*why = "";
	result = dyn_surroundings.read_file(dyn_surroundings.arg, path_of(name), &text, why);
	*len = text.len;
	dyn_buf_free(&text);
	return result;
}

static bool
acquire(void)
{
	booked += none_left ? 0 : 1;
	return !none_left;
}

static void
release(void)
{
	booked--;
}

static void
test_files(void)
{
	bool		is_root = geteuid() == 0;	/* who may read all */
	size_t		len;
	const char *why;

	write_file("short", 10);
	write_file("empty", 0);
	write_file("most", DYN_SHARED_FILE_MAX);
	write_file("long", DYN_SHARED_FILE_MAX + 1);
	ok(symlink(path_of("short"), path_of("link")) == 0 && symlink("nowhere", path_of("dangling")) == 0 &&
	   mkfifo(path_of("pipe"), 0600) == 0 && mkdir(path_of("folder"), 0700) == 0, "files of all kinds");
	ok(read_of("short", &len, &why) == DYN_FILE_READ && len == 10, "a file is read");
	ok(read_of("empty", &len, &why) == DYN_FILE_READ && len == 0, "an empty one");
	ok(read_of("most", &len, &why) == DYN_FILE_READ && len == DYN_SHARED_FILE_MAX, "one of 1 MB");
	ok(read_of("long", &len, &why) == DYN_FILE_FAILED && strcmp(why, "it is longer than 1 MB") == 0, "no longer one");
	ok(read_of("link", &len, &why) == DYN_FILE_READ && len == 10, "a symbolic link");
	ok(read_of("dangling", &len, &why) == DYN_FILE_MISSING, "one that leads nowhere");
	ok(read_of("none", &len, &why) == DYN_FILE_MISSING, "no file");
	ok(read_of("short/x", &len, &why) == DYN_FILE_MISSING, "no folder");
	ok(read_of("pipe", &len, &why) == DYN_FILE_FAILED && strcmp(why, "it is not a regular file") == 0,
	   "a pipe is not waited for");
	ok(read_of("folder", &len, &why) == DYN_FILE_FAILED && strcmp(why, "it is not a regular file") == 0, "a folder");
	ok(symlink("loop", path_of("loop")) == 0 && read_of("loop", &len, &why) == DYN_FILE_FAILED && why[0], "a link to itself");
	unlink(path_of("loop"));
	chmod(path_of("short"), 0);
	ok(is_root || (read_of("short", &len, &why) == DYN_FILE_FAILED && strcmp(why, "Permission denied") == 0),
	   "a file that is not for us is not missing");
	chmod(path_of("short"), 0600);
	write_file("folder/inside", 10);
	chmod(path_of("folder"), 0);
	ok(is_root || (read_of("folder/inside", &len, &why) == DYN_FILE_CLOSED && strcmp(why, "Permission denied") == 0),
	   "one in a folder that is not for us may be missing");
	chmod(path_of("folder"), 0700);
	unlink(path_of("folder/inside"));
	is_int(booked, 0, "all descriptors are given back");
	none_left = true;
	ok(read_of("short", &len, &why) == DYN_FILE_FAILED && strcmp(why, "Too many open files") == 0, "without a descriptor");
	none_left = false;
}

static void
test_environment(void)
{
	struct passwd *me = getpwuid(geteuid());

	setenv("HOME", "/somewhere", 1);
	is_string(dyn_surroundings.home(dyn_surroundings.arg), "/somewhere", "HOME");
	setenv("HOME", "", 1);
	is_string(dyn_surroundings.home(dyn_surroundings.arg), me->pw_dir, "without it, the user's home directory");
	unsetenv("HOME");
	is_string(dyn_surroundings.home(dyn_surroundings.arg), me->pw_dir, "the same where it is not set");
	setenv("DYN_TEST", "x", 1);
	is_string(dyn_surroundings.variable(dyn_surroundings.arg, "DYN_TEST"), "x", "a variable");
	unsetenv("DYN_TEST");
	ok(dyn_surroundings.variable(dyn_surroundings.arg, "DYN_TEST") == NULL, "none");
}

int
main(void)
{
	static const char *const names[] = {"short", "empty", "most", "long", "link", "dangling", "pipe"};

	if (mkdtemp(dir) == NULL)
		return 1;
	dyn_descriptor_book_with(acquire, release);
	test_files();
	test_environment();
	for (size_t i = 0; i < LENGTH(names); i++)
		unlink(path_of(names[i]));
	rmdir(path_of("folder"));
	rmdir(dir);
	return done_testing();
}
