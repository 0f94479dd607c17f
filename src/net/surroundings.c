/*
 * surroundings.c
 *	  The environment, the home directory and the files of this process.
 */
#include "net/surroundings.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/descriptor.h"

static const char *
get_variable(void *arg, const char *name)
{
	return getenv(name);
}

/* HOME need not be set: a server that a boot script starts may have no environment at all. */
static const char *
get_home(void *arg)
{
	static char buffer[4096];
	const char *home = getenv("HOME");
	struct passwd entry;
	struct passwd *found = NULL;

	if (home && home[0])
		return home;
	if (getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found && found->pw_dir[0])
		return found->pw_dir;
	return NULL;
}

/* Reads all of a file that is open. */
static DynFileResult
read_open_file(int fd, DynBuf *text, const char **why)
{
	struct stat about;
	ssize_t		n;

	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
	{
		*why = "it is not a regular file";
		return DYN_FILE_FAILED;
	}
	if (about.st_size > DYN_SHARED_FILE_MAX)
	{
		*why = "it is longer than 1 MB";
		return DYN_FILE_FAILED;
	}
	/* at once, so that no part of a secret is left behind where the buffer was before */
	if (!dyn_buf_reserve(text, about.st_size + 1))
	{
		*why = "out of memory";
		return DYN_FILE_FAILED;
	}
	while (text->len < (size_t) about.st_size)
	{
		n = read(fd, text->data + text->len, about.st_size - text->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
		{
			*why = strerror(errno);
			return DYN_FILE_FAILED;
		}
		if (n == 0)
			break;
		text->len += n;
	}
	return DYN_FILE_READ;
}

/*
 * Symbolic links are followed: Kubernetes puts its tokens behind some.
 */
static DynFileResult
read_file(void *arg, const char *path, DynBuf *text, const char **why)
{
	struct stat about;
	DynFileResult result;
	int			fd;

	if (stat(path, &about) != 0)
	{
		if (errno == ENOENT || errno == ENOTDIR)
			return DYN_FILE_MISSING;
		*why = strerror(errno);
		return errno == EACCES ? DYN_FILE_CLOSED : DYN_FILE_FAILED;
	}
	if (!dyn_descriptor_acquire(1))
	{
		*why = strerror(errno);
		return DYN_FILE_FAILED;
	}
	/* without O_NONBLOCK a pipe of that name would wait for its other end */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
	{
		*why = strerror(errno);
		result = DYN_FILE_FAILED;
	}
	else
	{
		result = read_open_file(fd, text, why);
		close(fd);
	}
	dyn_descriptor_release(1);
	return result;
}

const DynSurroundings dyn_surroundings = {get_variable, read_file, get_home, NULL};
