/* io_transfer.c - see io_transfer.h */
#include "io/io_transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/units.h"
#include "io/io_fd.h"

enum {
	HEADERS_MAX = 64 * 1024,	/* all header lines of an answer */
	HEADER_KEPT = 4096,		/* of one that we keep */
	BODY_DEFAULT = 256 * 1024,
	CONNECT_MS = 10 * 1000,
	IDLE_S = 60,		/* then a pooled connection is too old */
	SLOW_BYTES = 1, SLOW_S = 30,	/* reads: so little for so long */
};

struct io_transfer *
io_transfer_new(uint64_t token, struct str base,
    const struct http_request *request)
{
	struct io_transfer *transfer = calloc(1, sizeof *transfer);
	if (transfer == NULL)
		fail_out_of_memory();
	transfer->token = token;
	transfer->method = request->method;
	transfer->host = request->host;
	transfer->timeout_ms = request->timeout_ms;
	transfer->effect = request->effect;
	transfer->quiet_ms = request->quiet_ms;
	strbuf_add(&transfer->bearer, request->bearer);
	strbuf_add(&transfer->authorization, request->authorization);
	strbuf_add(&transfer->etag, request->etag);
	strbuf_add(&transfer->if_match, request->if_match);
	strbuf_add(&transfer->enough, request->enough);
	/* A whole address was checked to lie at the base. */
	if (request->path.len == 0 || request->path.data[0] == '/' ||
	    request->path.data[0] == '?')
		strbuf_add(&transfer->url, base);
	strbuf_add(&transfer->url, request->path);
	strbuf_add(&transfer->body, request->body);
	transfer->event = io_event_new(WORLD_HTTP, token);
	transfer->event->body.ceiling = request->max_body > 0 ?
	    request->max_body : BODY_DEFAULT;
	return transfer;
}

void
io_transfer_free(struct io_transfer *transfer)
{
	if (transfer == NULL)
		return;
	/* Environments, and with them secrets, travel in bodies. */
	if (transfer->body.data != NULL)
		explicit_bzero(transfer->body.data, transfer->body.cap);
	if (transfer->bearer.data != NULL)
		explicit_bzero(transfer->bearer.data, transfer->bearer.cap);
	if (transfer->authorization.data != NULL)
		explicit_bzero(transfer->authorization.data,
		    transfer->authorization.cap);
	strbuf_release(&transfer->url);
	strbuf_release(&transfer->body);
	strbuf_release(&transfer->bearer);
	strbuf_release(&transfer->authorization);
	strbuf_release(&transfer->etag);
	strbuf_release(&transfer->if_match);
	strbuf_release(&transfer->enough);
	io_event_free(transfer->event);
	free(transfer);
}

/* --------------------------------------------------------- callbacks ---- */

/* The text may have come in two pieces: look a bit before the new one. */
static bool
has_enough(const struct io_transfer *transfer, size_t added)
{
	const struct strbuf *body = &transfer->event->body;
	struct str enough = strbuf_str(&transfer->enough);
	size_t new = added + enough.len < body->len
	    ? body->len - added - enough.len : 0;

	return enough.len > 0 && str_search(str_sub(strbuf_str(body), new,
	    SIZE_MAX), enough) >= 0;
}

static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct io_transfer *transfer = ctx;
	struct strbuf *body = &transfer->event->body;

	transfer->heard = true;
	if (transfer->sink.write != NULL)
		return transfer->sink.write(transfer->sink.ctx, transfer,
		    (struct str){ data, size * n }) ? size * n : 0;
	strbuf_add(body, (struct str){ data, size * n });
	if (body->failed) {
		transfer->too_large = true;
		return 0;
	}
	if (transfer->quiet_ms > HTTP_SOON_MS && has_enough(transfer, size * n))
		transfer->quiet_ms = HTTP_SOON_MS;
	return size * n;
}

static const struct {
	struct str name;
	enum io_header kept;
} kept_headers[] = {
	{ STR_INIT("retry-after"), IO_RETRY_AFTER },
	{ STR_INIT("ratelimit"), IO_RATELIMIT },
	{ STR_INIT("x-request-id"), IO_REQUEST_ID },
	{ STR_INIT("x-github-request-id"), IO_REQUEST_ID },
	{ STR_INIT("date"), IO_DATE },
	{ STR_INIT("location"), IO_LOCATION },
	{ STR_INIT("link"), IO_LINK },
	{ STR_INIT("etag"), IO_ETAG },
	{ STR_INIT("x-ratelimit-remaining"), IO_GITHUB_LEFT },
	{ STR_INIT("x-ratelimit-reset"), IO_GITHUB_RESET },
	{ STR_INIT("x-accepted-github-permissions"), IO_GITHUB_PERMISSIONS },
	{ STR_INIT("x-accepted-oauth-scopes"), IO_OAUTH_SCOPES },
	{ STR_INIT("x-oauth-scopes"), IO_OWN_SCOPES },
	{ STR_INIT("github-authentication-token-expiration"), IO_TOKEN_ENDS },
};

/* Half an address is another address: rather none of the answer. */
static bool
keep_header(struct io_transfer *transfer, struct str line)
{
	struct str value;
	struct str name = str_cut(line, ':', &value);

	if (name.len == line.len)
		return true;
	for (size_t i = 0; i < COUNTOF(kept_headers); i++) {
		if (!str_eq_fold(name, kept_headers[i].name))
			continue;
		enum io_header kept = kept_headers[i].kept;
		struct strbuf *out = &transfer->event->headers[kept];
		strbuf_release(out);
		out->ceiling = HEADER_KEPT;
		strbuf_add(out, str_trim(value));
		if (out->failed && (kept == IO_LINK || kept == IO_LOCATION)) {
			transfer->broken = "an address of more than 4 KiB";
			return false;
		}
	}
	return true;
}

/* An interim answer (1xx) is not the answer: forget what it said. */
static void
forget_headers(struct io_event *event)
{
	for (size_t i = 0; i < IO_HEADERS; i++)
		strbuf_release(&event->headers[i]);
}

/*
 * curl passes over a length that overflows, and takes the last of several.
 * Whoever says such things has said nothing that could be believed.
 */
static const char *
check_length(struct io_transfer *transfer, struct str line)
{
	struct str value;
	struct str name = str_cut(line, ':', &value);
	int64_t length;

	if (str_eq_fold(name, STR("transfer-encoding")) &&
	    str_search_fold(value, STR("chunked")) >= 0)
		transfer->has_end = true;
	if (!str_eq_fold(name, STR("content-length")))
		return NULL;
	if (!parse_int(str_trim(value), 0, INT64_MAX, &length))
		return "a length that is none";
	if (transfer->has_length && transfer->length != length)
		return "two lengths";
	transfer->has_length = transfer->has_end = true;
	transfer->length = length;
	return NULL;
}

static size_t
on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct io_transfer *transfer = ctx;
	struct io_event *event = transfer->event;
	struct str line = { data, size * n };

	transfer->heard = true;
	transfer->header_bytes += line.len;
	if (transfer->header_bytes > HEADERS_MAX) {
		transfer->broken = "more than 64 KiB of headers";
		return 0;
	}
	if (str_find(line, '\0') >= 0) {
		transfer->broken = "a NUL in a header";
		return 0;
	}
	if ((transfer->broken = check_length(transfer, line)) != NULL)
		return 0;
	if (str_starts(line, STR("HTTP/"))) {
		forget_headers(event);
		transfer->has_length = false;
		/* Newer ones than 1.1 frame all that they say. */
		transfer->has_end = !str_starts(line, STR("HTTP/1"));
		transfer->interim = str_search(line, STR(" 1")) > 0 &&
		    str_search(line, STR(" 1")) < 10;
	} else if (str_trim(line).len == 0)
		transfer->streaming = !transfer->interim;
	return keep_header(transfer, line) ? line.len : 0;
}

/* Sockets stay with us, and away from descriptors 0 to 2. */
static curl_socket_t
on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct io_transfer *transfer = ctx;
	(void)purpose;
	int fd = io_fd_above_standard(socket(address->family,
	    address->socktype | SOCK_CLOEXEC, address->protocol));
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		transfer->socket_errno = errno;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* ------------------------------------------------------------- setup ---- */

/* Shorter names for a long list; the first failure is remembered. */
#define SET(option, value) \
	(ok &= set(easy, CURLOPT_##option, (value)) == CURLE_OK)

static bool
set_method(struct io_transfer *transfer, CURL *easy,
    const struct curl_dl *curl)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = curl->easy_setopt;
	bool ok = true;

	if (transfer->method == HTTP_GET) {
		SET(HTTPGET, 1L);
		return ok;
	}
	SET(CUSTOMREQUEST, http_method_name(transfer->method));
	if (transfer->body.len == 0 && transfer->method == HTTP_DELETE)
		return ok;
	SET(POST, 1L);
	SET(POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body.len);
	SET(POSTFIELDS, transfer->body.data != NULL ? transfer->body.data :
	    "");
	return ok;
}

/*
 * Whatever has an effect travels alone: a connection that was used before
 * may die without a byte of answer, and libcurl then sends the request again
 * by itself, whatever its method.  HTTP/2 has a second way to do so.
 */
static bool
set_connection(struct io_transfer *transfer, CURL *easy,
    const struct io_transfer_rules *rules)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = rules->curl->easy_setopt;
	long timeout = transfer->timeout_ms > 0 ? (long)transfer->timeout_ms :
	    60000L;
	bool ok = true;

	if (transfer->effect) {
		SET(FRESH_CONNECT, 1L);
		SET(FORBID_REUSE, 1L);
		SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	} else {
		SET(FRESH_CONNECT, transfer->fresh ? 1L : 0L);
		SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
		if (transfer->quiet_ms == 0) {
			SET(LOW_SPEED_LIMIT, (long)SLOW_BYTES);
			SET(LOW_SPEED_TIME, (long)SLOW_S);
		}
	}
	SET(MAXAGE_CONN, (long)IDLE_S);
	SET(TIMEOUT_MS, timeout);
	SET(CONNECTTIMEOUT_MS, timeout < CONNECT_MS ? timeout :
	    (long)CONNECT_MS);
	SET(OPENSOCKETFUNCTION, on_socket);
	SET(OPENSOCKETDATA, transfer);
	SET(PROXY, rules->proxy);
	SET(NOPROXY, "");
	SET(HEADEROPT, (long)CURLHEADER_SEPARATE);
	SET(SUPPRESS_CONNECT_HEADERS, 1L);
	return ok;
}

/* Verification is on, and there is no way to turn it off but a CA file. */
static bool
set_tls(CURL *easy, const struct io_transfer_rules *rules)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = rules->curl->easy_setopt;
	bool ok = true;

	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	if (rules->ca_file != NULL) {
		SET(CAINFO, rules->ca_file);
		SET(CAPATH, NULL);
	} else if (rules->ca_directory) {
		/* Reads the one certificate that is needed instead of all,
		 * which saves 17 ms of each first connection. */
		SET(CAINFO, NULL);
		SET(CAPATH, IO_TRANSFER_CA_DIRECTORY);
	}
	return ok;
}

/* A login is sent as it is only where nothing else says who we are. */
static bool
set_login(struct io_transfer *transfer, CURL *easy,
    const struct io_transfer_rules *rules)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = rules->curl->easy_setopt;
	bool ok = true;

	if (rules->login == NULL || transfer->authorization.len > 0)
		return true;
	SET(USERPWD, rules->login);
	if (rules->sign != NULL)
		SET(AWS_SIGV4, rules->sign);
	else
		SET(HTTPAUTH, (long)CURLAUTH_BASIC);
	return ok;
}

bool
io_transfer_setup(struct io_transfer *transfer, CURL *easy,
    const struct io_transfer_rules *rules)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = rules->curl->easy_setopt;
	bool ok = true;

	transfer->easy = easy;
	transfer->secure = str_starts(strbuf_str(&transfer->url),
	    STR("https:"));
	transfer->proxied = rules->proxy[0] != '\0';
	SET(PRIVATE, transfer);
	SET(ERRORBUFFER, transfer->error);
	SET(URL, transfer->url.data);
	SET(PATH_AS_IS, 1L);
	SET(PROTOCOLS_STR, transfer->secure ? "https" : "http");
	SET(REDIR_PROTOCOLS_STR, "https");
	SET(FOLLOWLOCATION, 0L);
	SET(NETRC, (long)CURL_NETRC_IGNORED);
	SET(NOSIGNAL, 1L);
	SET(QUICK_EXIT, 1L);
	SET(HTTP09_ALLOWED, 0L);
	SET(USERAGENT, rules->user_agent);
	SET(HTTPHEADER, transfer->headers != NULL ? transfer->headers :
	    rules->headers);
	SET(SHARE, rules->share);
	SET(WRITEFUNCTION, on_body);
	SET(WRITEDATA, transfer);
	SET(HEADERFUNCTION, on_header);
	SET(HEADERDATA, transfer);
	if (rules->verbose) {
		SET(VERBOSE, 1L);
		SET(DEBUGFUNCTION, rules->debug);
		SET(DEBUGDATA, rules->debug_ctx);
	}
	ok &= set_method(transfer, easy, rules->curl);
	ok &= set_connection(transfer, easy, rules);
	ok &= set_tls(easy, rules);
	ok &= set_login(transfer, easy, rules);
	return ok;
}

/* ------------------------------------------------------------ finish ---- */

/*
 * Did no byte of the request leave?  The size counts what was sent, a
 * proxy's CONNECT included; behind a proxy the request itself cannot have
 * left before the tunnel stood and its TLS handshake was done.
 */
static bool
nothing_left(const struct io_transfer *transfer, const struct curl_dl *curl)
{
	long sent = -1, tunnel = 0;
	curl_off_t handshake_us = 0;

	if (curl->easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE,
		&sent) == CURLE_OK && sent == 0)
		return true;
	if (!transfer->effect || !transfer->secure || !transfer->proxied)
		return false;
	if (curl->easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE,
		&tunnel) != CURLE_OK || tunnel / 100 != 2)
		return tunnel / 100 > 2;
	return curl->easy_getinfo(transfer->easy, CURLINFO_APPCONNECT_TIME_T,
	    &handshake_us) == CURLE_OK && handshake_us == 0;
}

int
io_transfer_status(const struct io_transfer *transfer,
    const struct curl_dl *curl)
{
	long status = 0;
	if (curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE,
		&status) != CURLE_OK)
		return 0;
	return (int)status;
}

/*
 * A stream has no end of its own: quiet, a full buffer or the end of the time
 * make one, and what has come counts.
 */
static bool
stream_ended(const struct io_transfer *transfer, CURLcode code)
{
	return transfer->quiet_ms > 0 && transfer->streaming &&
	    (transfer->too_large || code == CURLE_OPERATION_TIMEDOUT);
}

/*
 * A body without a length and without chunks ends where its connection does,
 * and so does one that was cut.  By TLS a goodbye would tell them apart, but
 * libcurl takes its absence for an end, too (measured, 7.88.1).  What has an
 * end of its own or nothing to cut is fine; of a file io_fetch.c knows more.
 */
static bool
may_be_cut(const struct io_transfer *transfer, int status)
{
	return !transfer->has_end && transfer->quiet_ms == 0 &&
	    transfer->sink.write == NULL && status != 204 && status != 304;
}

void
io_transfer_finish(struct io_transfer *transfer, const struct curl_dl *curl,
    CURLcode code)
{
	struct http_answer *http = &transfer->event->event.http;
	struct strbuf *reason = &transfer->event->reason;
	int status = io_transfer_status(transfer, curl);

	if (code == CURLE_OK && may_be_cut(transfer, status))
		transfer->broken = "no length, and may have been cut";
	else if ((code == CURLE_OK || stream_ended(transfer, code)) &&
	    status > 0) {
		http->outcome = HTTP_ANSWERED;
		http->status = status;
		return;
	}
	if (transfer->too_large) {
		http->outcome = HTTP_TOO_LARGE;
		http->status = status;
		strbuf_addf(reason, "the answer is larger than %zu bytes",
		    transfer->event->body.ceiling);
	} else if (transfer->broken != NULL) {
		http->outcome = HTTP_BROKEN;
		strbuf_addf(reason, "the answer has %s", transfer->broken);
	} else {
		http->outcome = nothing_left(transfer, curl) ? HTTP_NOT_SENT :
		    HTTP_BROKEN;
		/* libcurl says only that it could not connect. */
		if (transfer->socket_errno != 0)
			strbuf_addf(reason, "cannot make a socket: %s",
			    strerror(transfer->socket_errno));
		else
			strbuf_adds(reason, transfer->error[0] != '\0' ?
			    transfer->error : curl->easy_strerror(code));
	}
	/* What came of a body that is none is of no use to anybody. */
	strbuf_release(&transfer->event->body);
}
