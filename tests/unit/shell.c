/* shell.c - see shell.h */
#include "tests/unit/shell.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"

static void
fail(const char *what, const char *about)
{
	fprintf(stderr, "shell: %s: %s\n", what, about);
	abort();
}

const char *
shell_directory(struct arena *arena)
{
	const char *below = getenv("TMPDIR");
	struct str path = arena_printf(arena, "%s/podform-test-XXXXXX",
	    below != NULL ? below : "/tmp");
	char *text = arena_alloc(arena, path.len + 1);
	for (size_t i = 0; i < path.len; i++)
		text[i] = path.data[i];
	if (mkdtemp(text) == NULL)
		fail("cannot make", text);
	return text;
}

static struct str
read_all(struct arena *arena, int fd)
{
	struct strbuf text = {0};
	char bytes[4096];
	ssize_t n;
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		strbuf_add(&text, (struct str){ bytes, (size_t)n });
	close(fd);
	struct str out = arena_str(arena, strbuf_str(&text));
	strbuf_release(&text);
	return out;
}

int
shell_run(struct arena *arena, const char *directory, const char *text,
    struct str *output)
{
	int ends[2], status;
	if (pipe2(ends, O_CLOEXEC) != 0)
		fail("no pipe", text);
	pid_t child = fork();
	if (child < 0)
		fail("cannot fork", text);
	if (child == 0) {
		int empty = open("/dev/null", O_RDONLY);
		dup2(empty, 0);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		if (chdir(directory) == 0)
			execl("/bin/sh", "sh", "-c", text, (char *)NULL);
		_exit(126);
	}
	close(ends[1]);
	struct str said = read_all(arena, ends[0]);
	if (waitpid(child, &status, 0) != child)
		fail("lost", text);
	if (output != NULL)
		*output = said;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct str
shell_ok(struct arena *arena, const char *directory, const char *text)
{
	struct str output;
	if (shell_run(arena, directory, text, &output) != 0)
		fail(text, output.data);
	return output;
}

struct str
shell_read(struct arena *arena, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("cannot read", path);
	return read_all(arena, fd);
}

void
shell_write(const char *path, struct str bytes, unsigned mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || write(fd, bytes.data, bytes.len) != (ssize_t)bytes.len ||
	    fchmod(fd, mode) != 0)
		fail("cannot write", path);
	close(fd);
}

void
shell_remove(const char *directory)
{
	struct arena arena = {0};
	shell_run(&arena, directory,
	    "chmod -R u+rwX . && rm -rf -- \"$PWD\"", NULL);
	arena_release(&arena);
}
