/* io_http.c - see io_http.h */
#include "io/io_http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_headers.h"
#include "io/io_trace.h"
#include "io/io_transfer.h"
#include "io/io_url.h"

enum { CONNECTIONS = 50, HOSTS = HOST_STORE + 1, SPARE = 16 };

struct io_http {
	const struct clock *clock;
	struct io_event_queue *queue;
	int epoll;
	uint32_t tag;
	size_t max;

	struct arena arena;		/* texts of the configuration */
	struct str bases[HOSTS];
	struct str keys[HOSTS];		/* bearer; wiped at the end */
	struct str login;		/* of the store; likewise */
	const char *sign;		/* how it signs, or NULL */
	const char *ca_file, *proxy, *no_proxy;
	struct io_trace trace;

	bool tried, ready;		/* loading libcurl */
	const char *why;		/* why it is not ready */
	struct curl_dl curl;
	CURLM *multi;
	CURLSH *share;
	struct curl_slist *headers[HOSTS];
	bool ca_directory;
	bool stale;			/* the pool is not to be used */
	int64_t due_ms;			/* of libcurl; -1 for none */

	struct io_transfer *active;
	size_t nactive;
	struct io_transfer *line, **line_end;	/* wait for a free place */
	CURL *spare[SPARE];
	size_t nspare;
};

/* --------------------------------------------------------------- life ---- */

static const char *
env_either(const char *upper, const char *lower)
{
	const char *value = getenv(upper);
	return value != NULL && *value != '\0' ? value : getenv(lower);
}

static const char *
keep_text(struct io_http *http, const char *text)
{
	return text == NULL || *text == '\0' ? NULL :
	    arena_cstr(&http->arena, str_from(text));
}

static struct str
keep_key(struct io_http *http, const struct secret *secret)
{
	return secret != NULL && secret_is_set(secret) ?
	    arena_str(&http->arena, secret_reveal(secret)) : (struct str){0};
}

struct io_http *
io_http_new(const struct io_config *config, int epoll, uint32_t tag,
    struct io_event_queue *queue, const struct clock *clock)
{
	struct io_http *http = calloc(1, sizeof *http);
	if (http == NULL)
		fail_out_of_memory();
	http->clock = clock;
	http->queue = queue;
	http->epoll = epoll;
	http->tag = tag;
	http->due_ms = -1;
	http->line_end = &http->line;
	http->max = config->max_connections > 0 ? config->max_connections :
	    CONNECTIONS;
	http->bases[HOST_CLOUD] = arena_str(&http->arena, config->cloud_url);
	http->bases[HOST_CLOUD_GRAPHQL] = arena_str(&http->arena,
	    config->graphql_url);
	http->bases[HOST_GITHUB] = arena_str(&http->arena,
	    config->github_url);
	http->keys[HOST_CLOUD] = http->keys[HOST_CLOUD_GRAPHQL] =
	    keep_key(http, config->cloud_key);
	http->keys[HOST_GITHUB] = keep_key(http, config->github_token);
	http->bases[HOST_STORE] = arena_str(&http->arena, config->store_url);
	http->keys[HOST_STORE] = keep_key(http, config->store_token);
	http->login = keep_key(http, config->store_login);
	if (config->store_sign.len > 0)
		http->sign = arena_cstr(&http->arena, config->store_sign);
	http->ca_file = keep_text(http, config->ca_file != NULL ?
	    config->ca_file : getenv("SSL_CERT_FILE"));
	http->proxy = keep_text(http, env_either("HTTPS_PROXY",
	    "https_proxy"));
	http->no_proxy = keep_text(http, env_either("NO_PROXY", "no_proxy"));
	io_trace_init(&http->trace, config->trace, config->trace_ctx);
	for (size_t i = 0; i < HOSTS; i++)
		io_trace_hide(&http->trace, http->keys[i]);
	io_trace_hide(&http->trace, http->login);
	struct str password;
	str_cut(http->login, ':', &password);
	io_trace_hide(&http->trace, password);
	return http;
}

static void
wipe(struct str *key)
{
	if (key->data != NULL)
		explicit_bzero((char *)key->data, key->len);
	*key = (struct str){0};
}

static void
wipe_keys(struct io_http *http)
{
	wipe(&http->login);
	for (size_t i = 0; i < HOSTS; i++) {
		wipe(&http->keys[i]);
		io_headers_wipe(&http->curl, &http->headers[i]);
	}
}

/* Free a transfer that is in no list and has no handle. */
static void
drop(struct io_http *http, struct io_transfer *transfer)
{
	io_headers_wipe(&http->curl, &transfer->headers);
	io_transfer_free(transfer);
}

static void
forget(struct io_http *http, struct io_transfer *transfer)
{
	if (transfer->next != NULL)
		transfer->next->prev = transfer->prev;
	if (transfer->prev != NULL)
		transfer->prev->next = transfer->next;
	else
		http->active = transfer->next;
	http->nactive--;
}

/* Take the handle back; it keeps nothing of the request. */
static void
give_back(struct io_http *http, CURL *easy)
{
	if (http->nspare == SPARE) {
		http->curl.easy_cleanup(easy);
		return;
	}
	http->curl.easy_reset(easy);
	http->spare[http->nspare++] = easy;
}

void
io_http_free(struct io_http *http)
{
	if (http == NULL)
		return;
	while (http->line != NULL) {
		struct io_transfer *transfer = http->line;
		http->line = transfer->next;
		drop(http, transfer);
	}
	while (http->active != NULL)
		io_http_cancel(http, http->active->token);
	while (http->nspare > 0)
		http->curl.easy_cleanup(http->spare[--http->nspare]);
	if (http->multi != NULL)
		http->curl.multi_cleanup(http->multi);
	if (http->share != NULL)
		http->curl.share_cleanup(http->share);
	wipe_keys(http);
	io_trace_release(&http->trace);
	curl_dl_release(&http->curl);
	arena_release(&http->arena);
	free(http);
}

/* ------------------------------------------------------------ loading ---- */

static int
on_socket_change(CURL *easy, curl_socket_t fd, int what, void *ctx,
    void *socket_ctx)
{
	struct io_http *http = ctx;
	struct epoll_event event = {
		.data.u64 = (uint64_t)http->tag << 32 | (uint32_t)fd,
	};
	(void)easy;
	(void)socket_ctx;

	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(http->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	/* A socket that is not watched is heard only when its time is over:
	 * a run would go on at a crawl. The kernel has no memory then. */
	if (epoll_ctl(http->epoll, EPOLL_CTL_MOD, fd, &event) != 0 &&
	    (errno != ENOENT ||
		epoll_ctl(http->epoll, EPOLL_CTL_ADD, fd, &event) != 0))
		fail_out_of_memory();
	return 0;
}

static int
on_timer_change(CURLM *multi, long timeout_ms, void *ctx)
{
	struct io_http *http = ctx;
	(void)multi;
	http->due_ms = timeout_ms < 0 ? -1 :
	    http->clock->mono_ms(http->clock->ctx) + timeout_ms;
	return 0;
}

static bool
open_multi(struct io_http *http)
{
	CURLM *multi = http->multi = http->curl.multi_init();
	if (multi == NULL)
		return false;
	/* Descriptors of the library's own, which it leaves inheritable;
	 * none of ours is meant to be. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	return http->curl.multi_setopt(multi, CURLMOPT_SOCKETFUNCTION,
	    on_socket_change) == CURLM_OK &&
	    http->curl.multi_setopt(multi, CURLMOPT_SOCKETDATA, http) ==
	    CURLM_OK &&
	    http->curl.multi_setopt(multi, CURLMOPT_TIMERFUNCTION,
	    on_timer_change) == CURLM_OK &&
	    http->curl.multi_setopt(multi, CURLMOPT_TIMERDATA, http) ==
	    CURLM_OK &&
	    http->curl.multi_setopt(multi, CURLMOPT_MAXCONNECTS,
	    (long)http->max) == CURLM_OK;
}

static bool
load(struct io_http *http)
{
	struct stat info;

	if (http->tried)
		return http->ready;
	http->tried = true;
	if (!curl_dl_load(&http->curl, &http->why))
		return false;
	http->why = "libcurl does not start";
	http->share = http->curl.share_init();
	if (http->share == NULL || !open_multi(http))
		return false;
	/* Fresh connections then still resume TLS sessions. */
	http->curl.share_setopt(http->share, CURLSHOPT_SHARE,
	    CURL_LOCK_DATA_SSL_SESSION);
	http->ca_directory = stat(IO_TRANSFER_CA_DIRECTORY, &info) == 0;
	for (size_t i = 0; i < HOSTS; i++)
		http->headers[i] = io_headers_of(&http->curl,
		    &(struct io_headers){ .host = (enum http_host)i,
		    .key = http->keys[i], .sign = i == HOST_STORE &&
		    http->sign != NULL });
	return http->ready = true;
}

/* ----------------------------------------------------------- starting ---- */

/* Hand out what became of a transfer, and free it. */
static void
deliver(struct io_http *http, struct io_transfer *transfer)
{
	if (transfer->sink.done != NULL) {
		transfer->sink.done(transfer->sink.ctx, transfer);
	} else {
		io_event_push(http->queue, transfer->event);
		transfer->event = NULL;
	}
	drop(http, transfer);
}

static void
fail(struct io_http *http, struct io_transfer *transfer, const char *why)
{
	struct io_event *event = transfer->event;
	event->event.http.outcome = HTTP_NOT_SENT;
	strbuf_adds(&event->reason, why);
	io_trace_end(&http->trace, transfer, 0);
	deliver(http, transfer);
}

/* The proxy of a request; in arena, "" for none. */
static const char *
proxy_for(struct io_http *http, struct arena *arena, struct str url)
{
	struct str proxy = io_url_proxy(str_from(http->proxy),
	    str_from(http->no_proxy), io_url_host(url));
	return proxy.data == NULL ? "" : arena_cstr(arena, proxy);
}

static bool
set_going(struct io_http *http, struct io_transfer *transfer)
{
	struct arena scratch = {0};
	CURL *easy = http->nspare > 0 ? http->spare[--http->nspare] :
	    http->curl.easy_init();
	bool ok = easy != NULL;

	if (!ok)
		return false;
	transfer->fresh = transfer->effect || http->stale;
	bool is_store = transfer->host == HOST_STORE &&
	    transfer->sink.write == NULL;
	io_headers_own(&http->curl, transfer, http->keys[transfer->host],
	    is_store && http->sign != NULL);
	struct io_transfer_rules rules = {
		.curl = &http->curl,
		.user_agent = "podform/" PODFORM_VERSION,
		.ca_file = http->ca_file,
		.ca_directory = http->ca_directory,
		.proxy = http->proxy == NULL ? "" : proxy_for(http, &scratch,
		    strbuf_str(&transfer->url)),
		.headers = http->headers[transfer->host],
		.login = is_store && http->login.len > 0 ?
		    http->login.data : NULL,
		.sign = http->sign,
		.share = http->share,
		.verbose = io_trace_wanted(&http->trace),
		.debug = io_trace_debug,
		.debug_ctx = &http->trace,
	};
	ok = io_transfer_setup(transfer, easy, &rules) &&
	    http->curl.multi_add_handle(http->multi, easy) == CURLM_OK;
	if (!ok) {
		transfer->easy = NULL;
		http->curl.easy_cleanup(easy);
	}
	arena_release(&scratch);
	return ok;
}

static void
start_one(struct io_http *http, struct io_transfer *transfer)
{
	transfer->started_ms = http->clock->mono_ms(http->clock->ctx);
	io_trace_begin(&http->trace, transfer);
	if (!set_going(http, transfer)) {
		fail(http, transfer, "libcurl refuses the request");
		return;
	}
	transfer->prev = NULL;
	transfer->next = http->active;
	if (http->active != NULL)
		http->active->prev = transfer;
	http->active = transfer;
	http->nactive++;
}

static void
start_waiting(struct io_http *http)
{
	while (http->line != NULL && http->nactive < http->max) {
		struct io_transfer *transfer = http->line;
		http->line = transfer->next;
		if (http->line == NULL)
			http->line_end = &http->line;
		start_one(http, transfer);
	}
}

static void
put_in_line(struct io_http *http, struct io_transfer *transfer)
{
	io_trace_hide(&http->trace, strbuf_str(&transfer->bearer));
	io_trace_hide(&http->trace, strbuf_str(&transfer->authorization));
	if (!load(http)) {
		fail(http, transfer, http->why);
		return;
	}
	transfer->next = NULL;
	*http->line_end = transfer;
	http->line_end = &transfer->next;
	start_waiting(http);
	/* Connect now, not when somebody waits: until then other work may
	 * be done. */
	io_http_tick(http);
}

void
io_http_start(struct io_http *http, uint64_t token,
    const struct http_request *request)
{
	struct str base = http->bases[request->host];
	struct io_transfer *transfer = io_transfer_new(token, base, request);

	if (base.len == 0)
		fail(http, transfer, "no address is known for this service");
	else if (!io_url_same_origin(base, strbuf_str(&transfer->url)))
		/* A next page, say, that would carry the credential away. */
		fail(http, transfer, "the address is not this service's");
	else
		put_in_line(http, transfer);
}

void
io_http_download(struct io_http *http, uint64_t token, struct str url,
    struct str bearer, int64_t timeout_ms, const struct io_sink *sink)
{
	struct http_request request = {
		.method = HTTP_GET, .path = url, .bearer = bearer,
		.timeout_ms = timeout_ms,
	};
	struct io_transfer *transfer = io_transfer_new(token,
	    (struct str){0}, &request);

	transfer->sink = *sink;
	put_in_line(http, transfer);
}

/* ---------------------------------------------------------- finishing ---- */

static void
finish(struct io_http *http, CURL *easy, CURLcode code)
{
	char *private = NULL;
	http->curl.easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	struct io_transfer *transfer = (struct io_transfer *)(void *)private;

	io_transfer_finish(transfer, &http->curl, code);
	http->curl.multi_remove_handle(http->multi, easy);
	if (transfer->quiet_ms > 0)	/* it may be in the middle */
		http->curl.easy_cleanup(easy);
	else
		give_back(http, easy);
	forget(http, transfer);
	io_trace_end(&http->trace, transfer, http->clock->mono_ms(
	    http->clock->ctx) - transfer->started_ms);
	deliver(http, transfer);
}

static void
reopen_if_stale(struct io_http *http)
{
	if (!http->stale || http->nactive > 0)
		return;
	http->curl.multi_cleanup(http->multi);
	http->due_ms = -1;
	http->stale = false;
	if (!open_multi(http)) {
		http->ready = false;
		http->why = "libcurl does not start again";
	}
}

static void
collect(struct io_http *http)
{
	CURLMsg *message;
	int left;

	while ((message = http->curl.multi_info_read(http->multi, &left)) !=
	    NULL)
		if (message->msg == CURLMSG_DONE)
			finish(http, message->easy_handle,
			    message->data.result);
	reopen_if_stale(http);
	start_waiting(http);
}

void
io_http_ready(struct io_http *http, int fd, uint32_t events)
{
	int running, flags = 0;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))
		flags |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		flags |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		flags |= CURL_CSELECT_ERR;
	http->curl.multi_socket_action(http->multi, fd, flags, &running);
	collect(http);
}

/* When a stream will have been quiet for long enough; -1 if it is none. */
static int64_t
quiet_at(const struct io_transfer *transfer)
{
	return transfer->quiet_ms > 0 && transfer->streaming ?
	    transfer->heard_ms + transfer->quiet_ms : -1;
}

/* End the streams that have said nothing for long enough. */
static void
end_quiet(struct io_http *http)
{
	int64_t now_ms = http->clock->mono_ms(http->clock->ctx);
	struct io_transfer *transfer = http->active;

	while (transfer != NULL) {
		struct io_transfer *next = transfer->next;
		if (transfer->heard) {
			transfer->heard = false;
			transfer->heard_ms = now_ms;
		} else if (quiet_at(transfer) >= 0 &&
		    now_ms >= quiet_at(transfer)) {
			finish(http, transfer->easy, CURLE_OK);
			/* The list may have changed behind it. */
			next = http->active;
		}
		transfer = next;
	}
	start_waiting(http);
}

void
io_http_tick(struct io_http *http)
{
	int running;

	end_quiet(http);
	if (http->due_ms < 0 ||
	    http->clock->mono_ms(http->clock->ctx) < http->due_ms)
		return;
	http->due_ms = -1;
	http->curl.multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0,
	    &running);
	collect(http);
}

int64_t
io_http_next_ms(const struct io_http *http)
{
	int64_t next = http->due_ms;

	for (const struct io_transfer *transfer = http->active;
	     transfer != NULL; transfer = transfer->next) {
		int64_t at = quiet_at(transfer);
		if (at >= 0 && (next < 0 || at < next))
			next = at;
	}
	return next;
}

bool
io_http_cancel(struct io_http *http, uint64_t token)
{
	for (struct io_transfer **at = &http->line; *at != NULL;
	     at = &(*at)->next) {
		struct io_transfer *transfer = *at;
		if (transfer->token != token)
			continue;
		*at = transfer->next;
		if (*at == NULL)
			http->line_end = at;
		drop(http, transfer);
		return true;
	}
	for (struct io_transfer *transfer = http->active; transfer != NULL;
	     transfer = transfer->next) {
		if (transfer->token != token)
			continue;
		http->curl.multi_remove_handle(http->multi, transfer->easy);
		/* What it was doing may still sit in the handle. */
		http->curl.easy_cleanup(transfer->easy);
		forget(http, transfer);
		drop(http, transfer);
		start_waiting(http);
		return true;
	}
	return false;
}

void
io_http_drop_pool(struct io_http *http)
{
	if (!http->ready)
		return;
	http->stale = true;
	reopen_if_stale(http);
}
