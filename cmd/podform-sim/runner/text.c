/* text.c - files, JSON members, lines, base64, time; see standin.h. */
#include "standin.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* podform-sim writes the version over the zeros; see package.c. */
const char standin_version[32] = "STANDIN-VERSION\0\0\0\0\0\0\0\0";

bool
standin_read(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got = 1;

	if (fd < 0)
		return false;
	while (n + 1 < size && got > 0) {
		got = read(fd, out + n, size - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	for (size_t i = 0; i < n; i++)	/* /proc/1/environ has NULs */
		if (out[i] == '\0')
			out[i] = '\n';
	out[n] = '\0';
	return got == 0;
}

bool
standin_write(const char *path, const char *text, size_t length, int mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	bool ok = fd >= 0 && write(fd, text, length) == (ssize_t)length;

	if (fd >= 0)
		close(fd);
	return ok;
}

bool
standin_json(const char *text, const char *name, char *out, size_t size)
{
	char quoted[64];
	const char *at;
	size_t n = 0;

	snprintf(quoted, sizeof quoted, "\"%s\"", name);
	at = strstr(text, quoted);
	if (at == NULL)
		return false;
	at += strlen(quoted);
	at += strspn(at, " \t\r\n:");
	if (*at == '"')
		at++;
	while (at[n] != '\0' && strchr("\",}\r\n", at[n]) == NULL &&
	    n + 1 < size) {
		out[n] = at[n];
		n++;
	}
	out[n] = '\0';
	return true;
}

bool
standin_line(const char *text, const char *name, char *out, size_t size)
{
	size_t length = strlen(name), n;

	while (*text != '\0') {
		const char *end = strchr(text, '\n');
		if (end == NULL)
			end = text + strlen(text);
		if (strncmp(text, name, length) == 0 && text[length] == '=') {
			text += length + 1;
			n = (size_t)(end - text);
			n = n < size - 1 ? n : size - 1;
			memcpy(out, text, n);
			out[n] = '\0';
			return true;
		}
		text = *end == '\n' ? end + 1 : end;
	}
	return false;
}

long
standin_base64(const char *text, char *out, size_t size)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t group = 0;
	size_t n = 0, bits = 0;

	for (; *text != '\0' && *text != '='; text++) {
		const char *at = strchr(alphabet, *text);
		if (at == NULL || n + 1 >= size)
			return -1;
		group = group << 6 | (uint32_t)(at - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(group >> bits & 255);
		}
	}
	out[n] = '\0';
	return (long)n;
}

void
standin_say(const char *format, ...)
{
	time_t now = time(NULL);
	struct tm date;
	char when[32];
	va_list args;

	gmtime_r(&now, &date);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%SZ", &date);
	printf("%s: ", when);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

void
standin_forget(void)
{
	unlink(".credentials");
	unlink(".credentials_rsaparams");
	unlink(".runner");
}
