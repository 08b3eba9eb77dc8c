/* pod_output.c - see pod_output.h */
#include "pod_output.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 64 << 10,	/* of a line with a prefix */
	PIECE = 4096,		/* a pipe that is ready takes so much */
	LOOK_MS = 200,
};

void
pod_output_init(struct pod_output *output, const struct app *app, int fd,
    bool raw, struct str prefix)
{
	const struct style_facts *facts = fd == STDERR_FILENO ?
	    &app->err_facts : &app->out_facts;

	*output = (struct pod_output){ .fd = fd, .prefix = prefix,
		.escape = facts->terminal && !raw,
		.guard = str_is(app_variable("GITHUB_ACTIONS"), "true") &&
		    !raw };
}

/* SIGINT and the like are blocked once they are events: see whether one
 * waits while nobody takes what we write. */
static bool
signal_waits(void)
{
	sigset_t set;

	return sigpending(&set) == 0 && (sigismember(&set, SIGINT) == 1 ||
	    sigismember(&set, SIGTERM) == 1 || sigismember(&set, SIGHUP) == 1);
}

static void
put(struct pod_output *output, struct str text)
{
	struct pollfd ready = { .fd = output->fd, .events = POLLOUT };
	ssize_t n;

	while (text.len > 0 && !output->closed) {
		if (poll(&ready, 1, LOOK_MS) <= 0) {
			output->closed = signal_waits();
			continue;
		}
		n = write(output->fd, text.data,
		    text.len < PIECE ? text.len : PIECE);
		if (n > 0)
			text = str_sub(text, (size_t)n, text.len);
		else if (errno != EINTR && errno != EAGAIN)
			output->closed = true;
	}
}

/* -------------------------------------------------------------- escapes -- */

/* How much of the end of text may be the beginning of a character. */
static size_t
unfinished(struct str text)
{
	for (size_t back = 1; back <= 3 && back <= text.len; back++) {
		unsigned char c = (unsigned char)text.data[text.len - back];
		size_t whole = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 :
		    1;
		if (c < 0x80)
			return 0;
		if (c >= 0xc0)
			return whole > back ? back : 0;
	}
	return 0;
}

static bool
is_free(char c)
{
	return c == '\n' || c == '\t' || c == '\r';
}

static void
add_escaped(struct strbuf *out, struct str text)
{
	size_t from = 0;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && !is_free(text.data[i]))
			continue;
		strbuf_add_escaped(out, str_sub(text, from, i - from));
		if (i < text.len)
			strbuf_addc(out, text.data[i]);
		from = i + 1;
	}
}

/* `::` or `##[` after blanks, at the beginning of a line. */
static bool
is_order(struct str line)
{
	line = str_trim(line);
	return str_starts(line, STR("::")) || str_starts(line, STR("##["));
}

/* One line without its end, at the beginning of which we are. */
static void
add_line(struct pod_output *output, struct strbuf *out, struct str line)
{
	if (output->guard && is_order(line)) {
		size_t at = 0;
		while (line.data[at] != ':' && line.data[at] != '#')
			at++;
		strbuf_addf(out, STR_FMT "\\x%02x", (int)at, line.data,
		    (unsigned)line.data[at]);
		line = str_sub(line, at + 1, line.len);
	}
	if (output->escape)
		add_escaped(out, line);
	else
		strbuf_add(out, line);
}

/* --------------------------------------------------------------- streams -- */

void
pod_output_line(struct pod_output *output, struct str text)
{
	struct strbuf out = {0};

	strbuf_add(&out, output->prefix);
	add_line(output, &out, text);
	strbuf_addc(&out, '\n');
	put(output, strbuf_str(&out));
	strbuf_release(&out);
}

/* Lines as they become whole; one that never ends is cut. */
static void
add_lines(struct pod_output *output, struct str bytes)
{
	while (bytes.len > 0) {
		ptrdiff_t end = str_find(bytes, '\n');
		size_t n = end < 0 ? bytes.len : (size_t)end;
		size_t room = LINE_MAX_BYTES - output->line.len;
		if (n > room) {
			n = room;
			end = -1;
		}
		strbuf_add(&output->line, str_sub(bytes, 0, n));
		bytes = str_sub(bytes, n + (end >= 0), bytes.len);
		if (end < 0 && output->line.len < LINE_MAX_BYTES)
			continue;
		pod_output_line(output, strbuf_str(&output->line));
		strbuf_reset(&output->line);
	}
}

/* As they come, but for a character of which a part is still to come. */
static void
add_stream(struct pod_output *output, struct str bytes)
{
	struct strbuf out = {0}, rest = {0};
	struct str whole;

	strbuf_add(&output->line, bytes);
	whole = strbuf_str(&output->line);
	strbuf_add(&rest, str_sub(whole, whole.len - unfinished(whole),
	    whole.len));
	add_escaped(&out, str_sub(whole, 0, whole.len - rest.len));
	put(output, strbuf_str(&out));
	strbuf_release(&out);
	strbuf_release(&output->line);
	output->line = rest;
}

void
pod_output_add(struct pod_output *output, struct str bytes)
{
	if (output->closed)
		return;
	if (output->prefix.data != NULL || output->guard)
		add_lines(output, bytes);
	else if (output->escape)
		add_stream(output, bytes);
	else
		put(output, bytes);
}

void
pod_output_end(struct pod_output *output)
{
	struct strbuf out = {0};

	if (output->line.len > 0) {
		strbuf_add(&out, output->prefix);
		add_line(output, &out, strbuf_str(&output->line));
		if (output->prefix.data != NULL)
			strbuf_addc(&out, '\n');
		put(output, strbuf_str(&out));
	}
	strbuf_release(&out);
	strbuf_release(&output->line);
}
