/* server.c - see server.h */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "control.h"
#include "github.h"

enum { BODY_MAX = 8 << 20, CONNECTIONS_MAX = 4000 };

/* How long a connection that gets no answer is kept. */
#define SILENCE_MS (10 * 60 * 1000)

/* One request, from its first line until it is done with. */
struct exchange {
	struct sim_server *server;
	struct MHD_Connection *connection;
	char *uri;			/* raw, with the query */
	struct strbuf body;
	struct arena arena;
	struct model_reply reply;
	bool served, released;
	struct strbuf sent_later;	/* of a stream: all of it */
	int64_t beat_ms;		/* of a stream: its last sign of life */
	int64_t due_ms;
	struct exchange *earlier, *later;	/* of those that wait */
};

struct sim_server {
	struct sim *sim;
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;		/* the list of waiting exchanges */
	struct exchange *first, *last;	/* by due_ms */
	bool stopping;
};

/* --------------------------------------------------- waiting exchanges -- */

/* false: the server is stopping, nothing waits any more. */
static bool
wait_until(struct exchange *exchange, int64_t due_ms)
{
	struct sim_server *server = exchange->server;
	struct exchange *before;

	pthread_mutex_lock(&server->lock);
	if (server->stopping) {
		pthread_mutex_unlock(&server->lock);
		return false;
	}
	exchange->due_ms = due_ms;
	/* Delays are mostly alike, so the place is mostly the end. */
	for (before = server->last; before != NULL &&
	    before->due_ms > due_ms; before = before->earlier)
		;
	exchange->earlier = before;
	exchange->later = before != NULL ? before->later : server->first;
	*(exchange->later != NULL ? &exchange->later->earlier
	    : &server->last) = exchange;
	*(before != NULL ? &before->later : &server->first) = exchange;
	MHD_suspend_connection(exchange->connection);
	pthread_mutex_unlock(&server->lock);
	sim_wake(server->sim);
	return true;
}

int64_t
server_release_due(struct sim_server *server)
{
	int64_t now = sim_mono_ms(), next = -1;

	pthread_mutex_lock(&server->lock);
	while (server->first != NULL &&
	    (server->first->due_ms <= now || server->stopping)) {
		struct exchange *exchange = server->first;
		server->first = exchange->later;
		*(server->first != NULL ? &server->first->earlier
		    : &server->last) = NULL;
		exchange->released = true;
		MHD_resume_connection(exchange->connection);
	}
	if (server->first != NULL)
		next = server->first->due_ms - now;
	pthread_mutex_unlock(&server->lock);
	return next;
}

/* ------------------------------------------------------------ serving --- */

static struct str
header(struct MHD_Connection *connection, const char *name)
{
	return str_from(MHD_lookup_connection_value(connection,
	    MHD_HEADER_KIND, name));
}

static void
serve_github(struct exchange *exchange, const struct model_request *request)
{
	struct MHD_Connection *connection = exchange->connection;
	struct github_headers headers = {
		.host = header(connection, "Host"),
		.user_agent = header(connection, "User-Agent"),
		.api_version = header(connection, "X-GitHub-Api-Version"),
		.if_none_match = header(connection, "If-None-Match"),
	};

	github_serve(exchange->server->sim, &exchange->arena, request,
	    &headers, &exchange->reply);
}

static void
write_log(struct sim *sim, const char *method, const struct exchange *exchange)
{
	const struct model_reply *reply = &exchange->reply;
	static const char *const words[] = {
		[MODEL_ANSWERED] = "", [MODEL_CUT] = " cut",
		[MODEL_DROPPED] = " dropped", [MODEL_SILENT] = " silent",
	};
	char line[2048];
	int n;

	if (sim->log_fd < 0)
		return;
	n = snprintf(line, sizeof line, "%lld %s %.1000s %d%s%s\n",
	    (long long)sim_mono_ms(), method, exchange->uri, reply->status,
	    words[reply->transport], reply->faults != 0 ? " (fault)" : "");
	if (write(sim->log_fd, line, (size_t)n) < 0)
		sim->log_fd = -1;	/* a full disk ends the log only */
}

static void
serve(struct exchange *exchange, const char *method)
{
	struct sim *sim = exchange->server->sim;
	struct str query, path = str_cut(str_from(exchange->uri), '?',
	    &query);
	struct model_request request = {
		.method = str_from(method),
		.path = path,
		.query = query,
		.authorization = header(exchange->connection,
		    "Authorization"),
		.last_event_id = header(exchange->connection,
		    "Last-Event-ID"),
		.body = strbuf_str(&exchange->body),
	};

	sim->last_request_ms = sim_mono_ms();
	pthread_mutex_lock(&sim->lock);
	if (str_starts(path, STR("/control/")))
		control_serve(sim, &exchange->arena, &request,
		    &exchange->reply);
	else if (str_starts(path, STR("/github/")))
		serve_github(exchange, &request);
	else
		model_http(sim->model, sim_now(sim), &exchange->arena,
		    &request, &exchange->reply);
	pthread_mutex_unlock(&sim->lock);
	write_log(sim, method, exchange);
	exchange->served = true;
	sim_wake(sim);
}

/* --------------------------------------------------------- streams ------ */

/* How often a stream looks for more, and says that it is there. */
enum { STREAM_MS = 300, HEARTBEAT_MS = 5000 };

/* The id of the last event that was sent; absent if there was none. */
static struct str
last_id(struct str text)
{
	struct str id = {0}, line;

	while (text.len > 0) {
		line = str_cut(text, '\n', &text);
		if (str_starts(line, STR("id: ")))
			id = str_sub(line, 4, line.len);
	}
	return id;
}

/* "&since=..." as it was asked for: also later nothing older comes. */
static struct str
since_of(struct arena *arena, struct str query)
{
	ptrdiff_t at = str_search(query, STR("since="));
	struct str rest;

	if (at < 0)
		return STR("");
	return arena_printf(arena, "&" STR_FMT, STR_ARG(str_cut(str_sub(query,
	    (size_t)at, query.len), '&', &rest)));
}

/* Lines of the log since the last look. */
static void
look_for_more(struct exchange *exchange)
{
	struct sim *sim = exchange->server->sim;
	struct arena arena = {0};
	struct model_reply reply;
	struct str query, path = str_cut(str_from(exchange->uri), '?',
	    &query);
	struct str source = STR("");
	struct model_request request = {
		.method = STR("GET"), .path = path,
		.last_event_id = last_id(strbuf_str(&exchange->sent_later)),
	};

	if (str_search(query, STR("source=container")) >= 0)
		source = STR("&source=container");
	else if (str_search(query, STR("source=system")) >= 0)
		source = STR("&source=system");
	request.query = arena_printf(&arena, "tail=5000" STR_FMT STR_FMT,
	    STR_ARG(source), STR_ARG(since_of(&arena, query)));
	pthread_mutex_lock(&sim->lock);
	model_log_more(sim->model, sim_now(sim), &arena, &request, &reply);
	pthread_mutex_unlock(&sim->lock);
	if (reply.status == 200 && reply.body.len > 0 &&
	    reply.transport == MODEL_ANSWERED)
		strbuf_add(&exchange->sent_later, reply.body);
	else if (sim_mono_ms() >= exchange->beat_ms + HEARTBEAT_MS)
		strbuf_adds(&exchange->sent_later, ": heartbeat\n\n");
	else
		goto out;
	exchange->beat_ms = sim_mono_ms();
out:
	arena_release(&arena);
}

static ssize_t
read_stream(void *context, uint64_t at, char *out, size_t max)
{
	struct exchange *exchange = context;
	struct str left;

	if (exchange->sent_later.failed)
		return MHD_CONTENT_READER_END_OF_STREAM;
	left = str_sub(strbuf_str(&exchange->sent_later), (size_t)at, max);
	if (left.len == 0) {
		look_for_more(exchange);
		left = str_sub(strbuf_str(&exchange->sent_later), (size_t)at,
		    max);
	}
	if (left.len == 0)
		return wait_until(exchange, sim_mono_ms() + STREAM_MS) ? 0
		    : MHD_CONTENT_READER_END_OF_STREAM;
	memcpy(out, left.data, left.len);
	return (ssize_t)left.len;
}

static bool
is_stream(const struct model_reply *reply)
{
	return reply->transport == MODEL_ANSWERED && reply->status == 200 &&
	    str_starts(reply->content_type, STR("text/event-stream"));
}

/* The body up to where it is to be cut; then the connection closes. */
static ssize_t
read_cut(void *context, uint64_t at, char *out, size_t max)
{
	const struct exchange *exchange = context;
	size_t left = exchange->reply.cut - (size_t)at;

	if (at >= exchange->reply.cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (left > max)
		left = max;
	memcpy(out, exchange->reply.body.data + at, left);
	return (ssize_t)left;
}

static enum MHD_Result
answer(struct exchange *exchange)
{
	const struct model_reply *reply = &exchange->reply;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (reply->transport == MODEL_DROPPED ||
	    reply->transport == MODEL_SILENT)
		return MHD_NO;	/* closes the connection, nothing is sent */
	if (reply->transport == MODEL_CUT)
		response = MHD_create_response_from_callback(reply->body.len,
		    16 * 1024, read_cut, exchange, NULL);
	else if (is_stream(reply)) {
		strbuf_add(&exchange->sent_later, reply->body);
		exchange->beat_ms = sim_mono_ms();
		response = MHD_create_response_from_callback(
		    MHD_SIZE_UNKNOWN, 16 * 1024, read_stream, exchange, NULL);
	} else	/* the arena outlives the sending: see on_done() */
		response = MHD_create_response_from_buffer(reply->body.len,
		    (void *)(uintptr_t)reply->body.data,
		    MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return MHD_NO;
	if (reply->content_type.data != NULL)
		MHD_add_response_header(response, "Content-Type",
		    arena_cstr(&exchange->arena, reply->content_type));
	for (size_t i = 0; i < reply->nheaders; i++)
		MHD_add_response_header(response, reply->headers[i].name,
		    arena_cstr(&exchange->arena, reply->headers[i].value));
	result = MHD_queue_response(exchange->connection,
	    (unsigned)reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **state)
{
	struct exchange *exchange = *state;
	int64_t delay;

	(void)context;
	(void)url;
	(void)version;
	if (exchange->connection == NULL) {	/* no body has come yet */
		exchange->connection = connection;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		strbuf_add(&exchange->body,
		    (struct str){ upload, *upload_size });
		*upload_size = 0;
		return MHD_YES;
	}
	if (exchange->released)
		return answer(exchange);
	if (exchange->body.failed)
		return MHD_NO;
	if (!exchange->served)
		serve(exchange, method);
	delay = exchange->reply.transport == MODEL_SILENT ? SILENCE_MS
	    : exchange->reply.delay_ms;
	if (delay == 0)
		return answer(exchange);
	return wait_until(exchange, sim_mono_ms() + delay) ? MHD_YES
	    : MHD_NO;
}

/* Called with the raw request line, before anything else. */
static void *
on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct exchange *exchange = calloc(1, sizeof *exchange);

	(void)connection;
	if (exchange == NULL || (exchange->uri = strdup(uri)) == NULL)
		fail_out_of_memory();
	exchange->server = context;
	exchange->body.ceiling = BODY_MAX;
	return exchange;
}

static void
on_done(void *context, struct MHD_Connection *connection, void **state,
    enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *state;

	(void)context;
	(void)connection;
	(void)code;
	if (exchange == NULL)
		return;
	strbuf_release(&exchange->body);
	strbuf_release(&exchange->sent_later);
	arena_release(&exchange->arena);
	free(exchange->uri);
	free(exchange);
	*state = NULL;
}

/* -------------------------------------------------------------- set-up -- */

static bool
parse_address(const char *listen, struct sockaddr_in *address)
{
	struct str text = str_from(listen), port;
	struct str host = str_cut(text, ':', &port);
	char name[32];
	int64_t number;

	if (host.len == 0 || host.len >= sizeof name ||
	    !parse_int(port, 0, 65535, &number))
		return false;
	memcpy(name, host.data, host.len);
	name[host.len] = '\0';
	*address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)number),
	};
	return inet_pton(AF_INET, name, &address->sin_addr) == 1 &&
	    ntohl(address->sin_addr.s_addr) >> 24 == 127;
}

struct sim_server *
server_start(struct sim *sim, const char *listen)
{
	struct sim_server *server = calloc(1, sizeof *server);
	struct sockaddr_in address;

	if (server == NULL)
		fail_out_of_memory();
	if (!parse_address(listen, &address)) {
		fprintf(stderr, "podform-sim: cannot listen on '%s': a "
		    "loopback address and a port are needed, such as "
		    "127.0.0.1:0\n", listen);
		free(server);
		return NULL;
	}
	server->sim = sim;
	pthread_mutex_init(&server->lock, NULL);
	server->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
	    on_request, server,
	    MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
	    MHD_OPTION_URI_LOG_CALLBACK, on_uri, server,
	    MHD_OPTION_NOTIFY_COMPLETED, on_done, server,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, 120u,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)128 * 1024,
	    MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (server->daemon == NULL) {
		fprintf(stderr, "podform-sim: cannot listen on '%s': %s\n",
		    listen, strerror(errno));
		pthread_mutex_destroy(&server->lock);
		free(server);
		return NULL;
	}
	return server;
}

uint16_t
server_port(const struct sim_server *server)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon,
	    MHD_DAEMON_INFO_BIND_PORT);

	return info->port;
}

void
server_stop(struct sim_server *server)
{
	int listening;

	if (server == NULL)
		return;
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	pthread_mutex_unlock(&server->lock);
	/* Suspended connections must be resumed before the end.  The socket is
	 * in the thread's epoll until then: closed earlier, it would have the
	 * library abort. */
	listening = MHD_quiesce_daemon(server->daemon);
	server_release_due(server);
	MHD_stop_daemon(server->daemon);
	if (listening >= 0)
		close(listening);
	pthread_mutex_destroy(&server->lock);
	free(server);
}
