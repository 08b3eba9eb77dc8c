/*
 * io_fetch.c - see io_fetch.h
 *
 *	CHECKING --same digest--------------------------> done
 *	    |                                              ^
 *	    `--> LOADING --200, digest, sync, rename ------'
 *	          ^   |
 *	          `---' 30x
 */
#include "io/io_fetch.h"

#include <errno.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>

#include "io/io_url.h"

enum {
	REDIRECTS = 5,
	PIECE = 1 << 20,	/* of a file that is there, at once */
	SUFFIX_BYTES = 8,
	TIMEOUT_MS = 10 * 60 * 1000,
};
#define BYTES_DEFAULT ((uint64_t)1 << 30)

struct fetch {
	struct fetch *next;
	struct io_fetches *all;
	uint64_t token;
	struct arena arena;		/* texts of the request */
	struct fetch_request request;	/* its bearer is wiped at the end */
	const char *path, *part;	/* the file, and where it is written */
	struct str url;			/* that is asked now */
	int64_t deadline_ms;
	int redirects;
	bool checking;
	int fd;				/* of the file read or written; -1 */
	bool made;			/* part exists */
	uint64_t bytes;
	SHA2_CTX sha;
	int error;			/* errno of a write that failed */
	bool too_large;
	bool ended;			/* to be freed by the next tick */
};

struct io_fetches {
	struct io_http *http;
	struct io_event_queue *queue;
	const struct world *world;
	struct fetch *first;
};

struct io_fetches *
io_fetches_new(struct io_http *http, struct io_event_queue *queue,
    const struct world *world)
{
	struct io_fetches *all = heap_array(NULL, 1, sizeof *all);
	*all = (struct io_fetches){
		.http = http, .queue = queue, .world = world,
	};
	return all;
}

/* Close, and remove what is not the finished file. */
static void
clean_up(struct fetch *fetch)
{
	const struct fs *fs = &fetch->all->world->fs;

	if (fetch->fd >= 0)
		fs->close(fs->ctx, fetch->fd);
	fetch->fd = -1;
	if (fetch->made)
		fs->unlink(fs->ctx, fetch->part);
	fetch->made = false;
}

static void
wipe_bearer(struct fetch *fetch)
{
	struct str *bearer = &fetch->request.bearer;

	if (bearer->data != NULL)
		explicit_bzero((char *)bearer->data, bearer->len);
	*bearer = (struct str){0};
}

static void
fetch_free(struct fetch *fetch)
{
	clean_up(fetch);
	wipe_bearer(fetch);
	arena_release(&fetch->arena);
	free(fetch);
}

void
io_fetches_free(struct io_fetches *all)
{
	if (all == NULL)
		return;
	while (all->first != NULL) {
		struct fetch *fetch = all->first;
		all->first = fetch->next;
		io_http_cancel(all->http, fetch->token);
		fetch_free(fetch);
	}
	free(all);
}

/* It is over; why is absent when the file is there. */
static void
end(struct fetch *fetch, struct str why)
{
	struct io_event *event = io_event_new(WORLD_FETCH, fetch->token);

	clean_up(fetch);
	event->event.fetch_ok = why.data == NULL;
	strbuf_add(&event->reason, why);
	io_event_push(fetch->all->queue, event);
	fetch->ended = true;
}

static void
end_errno(struct fetch *fetch, const char *what, int error)
{
	end(fetch, arena_printf(&fetch->arena, "%s: %s", what,
	    strerror(error)));
}

/* ----------------------------------------------------------- loading ---- */

static bool
on_write(void *ctx, struct io_transfer *transfer, struct str bytes)
{
	struct fetch *fetch = ctx;
	const struct fs *fs = &fetch->all->world->fs;
	(void)transfer;

	/* Of redirects and refusals nothing is kept, and not much is read. */
	fetch->bytes += bytes.len;
	if (fetch->bytes > fetch->request.max_bytes) {
		fetch->too_large = true;
		return false;
	}
	int rc = fs_write_all(fs, fetch->fd, bytes);
	if (rc < 0) {
		fetch->error = -rc;
		return false;
	}
	SHA256Update(&fetch->sha, (const uint8_t *)bytes.data, bytes.len);
	return true;
}

static bool
right_digest(struct fetch *fetch)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];

	SHA256End(&fetch->sha, hex);
	return fetch->request.sha256.len == 0 ||
	    str_eq_fold(str_from(hex), fetch->request.sha256);
}

static const char *
directory_of(struct fetch *fetch)
{
	struct str path = str_from(fetch->path);
	ptrdiff_t slash = str_rfind(path, '/');

	return slash < 0 ? "." : slash == 0 ? "/" :
	    arena_cstr(&fetch->arena, str_sub(path, 0, (size_t)slash));
}

/* The whole body is in the part. */
static void
finish(struct fetch *fetch)
{
	const struct fs *fs = &fetch->all->world->fs;
	int rc = fs->sync(fs->ctx, fetch->fd);

	if (rc < 0) {
		end_errno(fetch, "cannot sync the file", -rc);
		return;
	}
	rc = fs->close(fs->ctx, fetch->fd);
	fetch->fd = -1;
	if (rc < 0) {
		end_errno(fetch, "cannot close the file", -rc);
		return;
	}
	if (!right_digest(fetch)) {
		end(fetch, arena_printf(&fetch->arena, "what came (%llu "
		    "bytes) does not have the digest that was promised",
		    (unsigned long long)fetch->bytes));
		return;
	}
	rc = fs->rename(fs->ctx, fetch->part, fetch->path);
	if (rc == 0) {
		fetch->made = false;
		rc = fs->sync_dir(fs->ctx, directory_of(fetch));
	}
	if (rc < 0)
		end_errno(fetch, "cannot put the file in place", -rc);
	else
		end(fetch, (struct str){0});
}

static void ask(struct fetch *fetch);

static void
follow(struct fetch *fetch, struct io_transfer *transfer)
{
	struct str first = fetch->request.url, to;
	struct str location =
	    strbuf_str(&transfer->event->headers[IO_LOCATION]);

	if (++fetch->redirects > REDIRECTS)
		end(fetch, STR("more than 5 redirects"));
	else if (location.len == 0)
		end(fetch, STR("a redirect to nowhere"));
	else if (!io_url_redirect(&fetch->arena, first, fetch->url, location,
	    &to))
		end(fetch, STR("a redirect to where no file is fetched "
		    "from"));
	else {
		/* Once away from its host the credential stays away. */
		if (!io_url_same_origin(fetch->url, to))
			wipe_bearer(fetch);
		fetch->url = to;
		ask(fetch);
	}
}

static void
on_done(void *ctx, struct io_transfer *transfer)
{
	struct fetch *fetch = ctx;
	const struct io_event *event = transfer->event;
	int status = event->event.http.status;

	if (fetch->error != 0)
		end_errno(fetch, "cannot write the file", fetch->error);
	else if (fetch->too_large)
		end(fetch, arena_printf(&fetch->arena, "it is larger than "
		    "%llu bytes", (unsigned long long)
		    fetch->request.max_bytes));
	else if (event->event.http.outcome != HTTP_ANSWERED)
		end(fetch, event->reason.len > 0 ? arena_str(&fetch->arena,
		    strbuf_str(&event->reason)) : STR("no answer"));
	else if (status == 200 && !transfer->has_end &&
	    fetch->request.sha256.len == 0)
		end(fetch, STR("neither a length nor a digest is known, and it "
		    "may have been cut"));
	else if (status == 200)
		finish(fetch);
	else if (status == 301 || status == 302 || status == 303 ||
	    status == 307 || status == 308)
		follow(fetch, transfer);
	else
		end(fetch, arena_printf(&fetch->arena, "HTTP status %d",
		    status));
}

/* A new part for each address: what one has sent is nothing to the next. */
static bool
open_part(struct fetch *fetch)
{
	const struct fs *fs = &fetch->all->world->fs;
	const struct chance *chance = &fetch->all->world->chance;
	unsigned char bytes[SUFFIX_BYTES];
	struct strbuf name = {0};

	clean_up(fetch);
	chance->bytes(chance->ctx, bytes, sizeof bytes);
	strbuf_addf(&name, "%s.", fetch->path);
	for (size_t i = 0; i < sizeof bytes; i++)
		strbuf_addf(&name, "%02x", bytes[i]);
	strbuf_adds(&name, ".part");
	fetch->part = arena_cstr(&fetch->arena, strbuf_str(&name));
	strbuf_release(&name);
	fetch->fd = fs->open(fs->ctx, fetch->part,
	    FS_READ_WRITE | FS_CREATE | FS_EXCLUSIVE, 0600);
	if (fetch->fd < 0) {
		end_errno(fetch, "cannot make the file", -fetch->fd);
		return false;
	}
	fetch->made = true;
	fetch->bytes = 0;
	SHA256Init(&fetch->sha);
	return true;
}

static int64_t
now_ms(const struct io_fetches *all)
{
	return all->world->clock.mono_ms(all->world->clock.ctx);
}

static void
ask(struct fetch *fetch)
{
	struct io_sink sink = {
		.ctx = fetch, .write = on_write, .done = on_done,
	};
	int64_t left_ms = fetch->deadline_ms - now_ms(fetch->all);

	if (left_ms <= 0)
		end(fetch, STR("it took too long"));
	else if (open_part(fetch))
		io_http_download(fetch->all->http, fetch->token, fetch->url,
		    fetch->request.bearer, left_ms, &sink);
}

/* ---------------------------------------------------------- checking ---- */

/* Begin to look at the file that is there; false if none is. */
static bool
open_old(struct fetch *fetch)
{
	const struct fs *fs = &fetch->all->world->fs;
	struct fs_info info;

	if (fetch->request.sha256.len == 0)
		return false;
	fetch->fd = fs->open(fs->ctx, fetch->path, FS_READ, 0);
	if (fetch->fd < 0)
		return false;
	if (fs->stat_fd(fs->ctx, fetch->fd, &info) == 0 &&
	    info.type == FS_REGULAR && info.size <= fetch->request.max_bytes) {
		SHA256Init(&fetch->sha);
		return true;
	}
	clean_up(fetch);
	return false;
}

/* One piece, so that a large file does not stop the loop. */
static void
check(struct fetch *fetch)
{
	const struct fs *fs = &fetch->all->world->fs;
	uint8_t *piece = heap_array(NULL, PIECE, 1);
	ssize_t n = fs->read(fs->ctx, fetch->fd, piece, PIECE);

	if (n > 0)
		SHA256Update(&fetch->sha, piece, (size_t)n);
	free(piece);
	if (n > 0 || n == -EINTR)
		return;
	fetch->checking = false;
	if (n == 0 && right_digest(fetch))
		end(fetch, (struct str){0});
	else
		ask(fetch);
}

/* --------------------------------------------------------------- seam ---- */

void
io_fetches_start(struct io_fetches *all, uint64_t token,
    const struct fetch_request *request)
{
	struct fetch *fetch = heap_array(NULL, 1, sizeof *fetch);
	int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms :
	    TIMEOUT_MS;

	*fetch = (struct fetch){
		.next = all->first, .all = all, .token = token, .fd = -1,
		.deadline_ms = now_ms(all) + timeout_ms,
	};
	all->first = fetch;
	fetch->request = (struct fetch_request){
		.url = arena_str(&fetch->arena, request->url),
		.bearer = request->bearer.len > 0 ?
		    arena_str(&fetch->arena, request->bearer) :
		    (struct str){0},
		.sha256 = arena_str(&fetch->arena, request->sha256),
		.max_bytes = request->max_bytes > 0 ? request->max_bytes :
		    BYTES_DEFAULT,
	};
	fetch->path = arena_cstr(&fetch->arena, request->path);
	fetch->url = fetch->request.url;
	if (!io_url_may_fetch(fetch->url))
		end(fetch, STR("not an https address"));
	else if (open_old(fetch))
		fetch->checking = true;
	else
		ask(fetch);
}

bool
io_fetches_cancel(struct io_fetches *all, uint64_t token)
{
	for (struct fetch **at = &all->first; *at != NULL;
	     at = &(*at)->next) {
		struct fetch *fetch = *at;
		if (fetch->token != token || fetch->ended)
			continue;
		*at = fetch->next;
		if (!fetch->checking)
			io_http_cancel(all->http, token);
		fetch_free(fetch);
		return true;
	}
	return false;
}

void
io_fetches_tick(struct io_fetches *all)
{
	struct fetch **at = &all->first;

	while (*at != NULL) {
		struct fetch *fetch = *at;
		if (fetch->checking)
			check(fetch);
		if (!fetch->ended) {
			at = &fetch->next;
			continue;
		}
		*at = fetch->next;
		fetch_free(fetch);
	}
}

int64_t
io_fetches_next_ms(const struct io_fetches *all)
{
	for (const struct fetch *fetch = all->first; fetch != NULL;
	     fetch = fetch->next)
		if (fetch->checking)
			return now_ms(all);
	return -1;
}
