/* talk.c - see talk.h */
#include "tunnel/talk.h"

#include <assert.h>

#include "base/json.h"
#include "base/units.h"

static const char *const verbs[] = {
	[HOLDER_LIST] = "list",
	[HOLDER_OPEN] = "open",
	[HOLDER_CLOSE] = "close",
};

/* -------------------------------------------------------------- writing -- */

static void
begin(struct json_writer *w, struct str version)
{
	json_begin(w, '{');
	json_member_int(w, "protocol", TALK_PROTOCOL);
	json_member_str(w, "version", version);
}

static void
end(struct json_writer *w)
{
	json_end(w, '}');
	strbuf_addc(w->out, '\n');
}

static void
write_config(struct json_writer *w, const struct tunnel_config *config)
{
	json_member_str(w, "address", config->address);
	json_member_str(w, "direction",
	    str_from(tunnel_direction_name(config->direction)));
	json_member_str(w, "local_address", config->local_address);
	json_member_int(w, "local_port", config->local_port);
	json_member_str(w, "remote_host", config->remote_host);
	json_member_int(w, "remote_port", config->remote_port);
	json_member_str(w, "check", config->check);
	json_member_str(w, "pod", config->pod);
	json_member_str(w, "pod_id", config->pod_id);
	json_member_str(w, "user", config->user);
	json_member_str(w, "key", config->key);
}

static void
write_open(struct json_writer *w, const struct talk_request *talk)
{
	const struct holder_request *request = &talk->request;

	json_member_int(w, "timeout_ms", request->timeout_ms);
	json_key(w, "tunnel");
	json_begin(w, '{');
	write_config(w, &request->config);
	json_end(w, '}');
	if (request->ssh.port != 0) {
		json_key(w, "ssh");
		json_begin(w, '{');
		json_member_str(w, "host", request->ssh.host);
		json_member_int(w, "port", request->ssh.port);
		json_member_str(w, "user", request->ssh.user);
		json_end(w, '}');
	}
	json_member_str(w, "start", request->start);
	json_member_str(w, "pin", request->pin);
	json_member_str(w, "keys", talk->keys);
}

void
talk_write_request(struct strbuf *out, const struct talk_request *talk)
{
	struct json_writer w = { .out = out };

	begin(&w, talk->version);
	if (talk->end) {
		json_member_str(&w, "verb", STR("end"));
	} else {
		assert((size_t)talk->request.verb < COUNTOF(verbs));
		json_member_str(&w, "verb",
		    str_from(verbs[talk->request.verb]));
	}
	if (!talk->end && talk->request.verb == HOLDER_OPEN)
		write_open(&w, talk);
	else if (!talk->end && talk->request.verb == HOLDER_CLOSE)
		json_member_str(&w, "address", talk->request.config.address);
	end(&w);
}

static void
write_status(struct json_writer *w, const struct tunnel_status *status)
{
	json_begin(w, '{');
	write_config(w, &status->config);
	json_member_str(w, "state", str_from(tunnel_state_name(
	    status->state)));
	json_member_int(w, "port", status->port);
	json_member_int(w, "since_ms", status->since_ms);
	json_member_int(w, "retry_at_ms", status->retry_at_ms);
	json_member_int(w, "bytes_in", (int64_t)status->bytes_in);
	json_member_int(w, "bytes_out", (int64_t)status->bytes_out);
	json_member_int(w, "connections", (int64_t)status->connections);
	json_member_int(w, "rtt_us", status->rtt_us);
	json_member_int(w, "reconnects", status->reconnects);
	json_member_str(w, "error", status->error);
	json_member_str(w, "fingerprint", status->fingerprint);
	json_member_bool(w, "first_use", status->first_use);
	json_end(w, '}');
}

void
talk_write_answer(struct strbuf *out, const struct talk_answer *talk)
{
	const struct holder_answer *answer = &talk->answer;
	struct json_writer w = { .out = out };

	begin(&w, talk->version);
	json_member_bool(&w, "ok", answer->ok);
	json_member_str(&w, "reason", answer->reason);
	json_member_bool(&w, "conflict", answer->conflict);
	json_key(&w, "tunnels");
	json_begin(&w, '[');
	for (size_t i = 0; i < answer->ntunnels; i++)
		write_status(&w, &answer->tunnels[i]);
	json_end(&w, ']');
	end(&w);
}

/* -------------------------------------------------------------- reading -- */

static bool
parse(struct arena *arena, struct str text, size_t limit, struct json *doc,
    struct str *why)
{
	struct json_limits limits = { .bytes = limit, .depth = 8 };
	struct json_error error;

	if (!json_parse(arena, text, limits, doc, &error)) {
		*why = str_from(error.reason);
		return false;
	}
	if (!json_is(json_root(doc), JSON_OBJECT)) {
		*why = STR("an object is expected");
		return false;
	}
	return true;
}

static uint16_t
read_port(struct json_reader *r, struct json_value object, const char *key)
{
	int64_t port = 0;

	json_read_int(r, object, key, REQUIRED, 0, UINT16_MAX, &port);
	return (uint16_t)port;
}

static void
read_config(struct json_reader *r, struct json_value object,
    struct tunnel_config *out)
{
	struct str direction = {0};

	json_read_str(r, object, "address", REQUIRED, &out->address);
	json_read_str(r, object, "direction", REQUIRED, &direction);
	json_read_str(r, object, "local_address", OPTIONAL,
	    &out->local_address);
	out->local_port = read_port(r, object, "local_port");
	json_read_str(r, object, "remote_host", OPTIONAL, &out->remote_host);
	out->remote_port = read_port(r, object, "remote_port");
	json_read_str(r, object, "check", OPTIONAL, &out->check);
	json_read_str(r, object, "pod", OPTIONAL, &out->pod);
	json_read_str(r, object, "pod_id", OPTIONAL, &out->pod_id);
	json_read_str(r, object, "user", OPTIONAL, &out->user);
	json_read_str(r, object, "key", OPTIONAL, &out->key);
	if (!r->failed && !tunnel_direction_parse(direction,
	    &out->direction))
		json_fail(r, "direction", "a direction");
}

/* Members of a tunnel; those after `key` are of its status. */
static const char *const config_keys[] = {
	"address", "direction", "local_address", "local_port", "remote_host",
	"remote_port", "check", "pod", "pod_id", "user", "key", NULL
};
static const char *const status_keys[] = {
	"address", "direction", "local_address", "local_port", "remote_host",
	"remote_port", "check", "pod", "pod_id", "user", "key",
	"state", "port", "since_ms", "retry_at_ms", "bytes_in", "bytes_out",
	"connections", "rtt_us", "reconnects", "error", "fingerprint",
	"first_use", NULL
};

static void
read_open(struct json_reader *r, struct json_value root,
    struct talk_request *out)
{
	static const char *const keys[] = { "protocol", "version", "verb",
		"timeout_ms", "tunnel", "ssh", "start", "pin", "keys", NULL };
	static const char *const ssh_keys[] = { "host", "port", "user",
		NULL };
	struct holder_request *request = &out->request;
	struct json_value tunnel = {0}, ssh = {0};

	json_only_keys(r, root, keys);
	json_read_int(r, root, "timeout_ms", REQUIRED, 0, 24 * HOUR_MS,
	    &request->timeout_ms);
	json_read_object(r, root, "tunnel", REQUIRED, &tunnel);
	json_only_keys(r, tunnel, config_keys);
	read_config(r, tunnel, &request->config);
	if (json_read_object(r, root, "ssh", OPTIONAL, &ssh)) {
		json_only_keys(r, ssh, ssh_keys);
		json_read_str(r, ssh, "host", REQUIRED, &request->ssh.host);
		request->ssh.port = read_port(r, ssh, "port");
		json_read_str(r, ssh, "user", OPTIONAL, &request->ssh.user);
	}
	json_read_str(r, root, "start", OPTIONAL, &request->start);
	json_read_str(r, root, "pin", OPTIONAL, &request->pin);
	json_read_str(r, root, "keys", OPTIONAL, &out->keys);
}

static void
read_verb(struct json_reader *r, struct json_value root, struct str verb,
    struct talk_request *out)
{
	static const char *const list_keys[] = { "protocol", "version",
		"verb", NULL };
	static const char *const close_keys[] = { "protocol", "version",
		"verb", "address", NULL };
	size_t i = 0;

	while (i < COUNTOF(verbs) && !str_is(verb, verbs[i]))
		i++;
	if (i == COUNTOF(verbs)) {
		json_fail(r, "verb", "list, open, close or end");
		return;
	}
	out->request.verb = (enum holder_verb)i;
	switch (out->request.verb) {
	case HOLDER_LIST:
		json_only_keys(r, root, list_keys);
		break;
	case HOLDER_OPEN:
		read_open(r, root, out);
		break;
	case HOLDER_CLOSE:
		json_only_keys(r, root, close_keys);
		json_read_str(r, root, "address", REQUIRED,
		    &out->request.config.address);
		break;
	}
}

bool
talk_read_request(struct arena *arena, struct str text,
    struct talk_request *out, struct str *why)
{
	struct json_reader r = { .arena = arena, .where = "request" };
	struct str verb = {0};
	struct json doc;

	*out = (struct talk_request){0};
	if (!parse(arena, text, TALK_REQUEST_MAX, &doc, why))
		return false;
	struct json_value root = json_root(&doc);
	json_read_int(&r, root, "protocol", REQUIRED, 0, INT32_MAX,
	    &out->protocol);
	json_read_str(&r, root, "version", REQUIRED, &out->version);
	json_read_str(&r, root, "verb", REQUIRED, &verb);
	out->end = str_is(verb, "end");
	if (!r.failed && !out->end && out->protocol == TALK_PROTOCOL)
		read_verb(&r, root, verb, out);
	*why = r.why;
	return !r.failed;
}

static void
read_status(struct json_reader *r, struct json_value object,
    struct tunnel_status *out)
{
	struct str state = {0};
	int64_t bytes_in = 0, bytes_out = 0, connections = 0, reconnects = 0;

	json_only_keys(r, object, status_keys);
	read_config(r, object, &out->config);
	json_read_str(r, object, "state", REQUIRED, &state);
	out->port = read_port(r, object, "port");
	json_read_int(r, object, "since_ms", REQUIRED, INT64_MIN, INT64_MAX,
	    &out->since_ms);
	json_read_int(r, object, "retry_at_ms", REQUIRED, INT64_MIN,
	    INT64_MAX, &out->retry_at_ms);
	json_read_int(r, object, "bytes_in", REQUIRED, 0, INT64_MAX,
	    &bytes_in);
	json_read_int(r, object, "bytes_out", REQUIRED, 0, INT64_MAX,
	    &bytes_out);
	json_read_int(r, object, "connections", REQUIRED, 0, INT32_MAX,
	    &connections);
	json_read_int(r, object, "rtt_us", REQUIRED, -1, INT64_MAX,
	    &out->rtt_us);
	json_read_int(r, object, "reconnects", REQUIRED, 0, INT32_MAX,
	    &reconnects);
	json_read_str(r, object, "error", OPTIONAL, &out->error);
	json_read_str(r, object, "fingerprint", OPTIONAL,
	    &out->fingerprint);
	json_read_bool(r, object, "first_use", REQUIRED, &out->first_use);
	if (!r->failed && !tunnel_state_parse(state, &out->state))
		json_fail(r, "state", "a state");
	out->bytes_in = (uint64_t)bytes_in;
	out->bytes_out = (uint64_t)bytes_out;
	out->connections = (uint64_t)connections;
	out->reconnects = (unsigned)reconnects;
}

static void
read_tunnels(struct json_reader *r, struct json_value root,
    struct holder_answer *out)
{
	struct json_value array = {0};

	if (!json_read_array(r, root, "tunnels", REQUIRED, &array))
		return;
	out->tunnels = ARENA_ARRAY(r->arena, struct tunnel_status,
	    json_count(array) + 1);
	struct json_iter it = json_iter(array);
	while (json_next(&it) && !r->failed)
		read_status(r, it.value, &out->tunnels[out->ntunnels++]);
}

bool
talk_read_answer(struct arena *arena, struct str text,
    struct talk_answer *out, struct str *why)
{
	static const char *const keys[] = { "protocol", "version", "ok",
		"reason", "conflict", "tunnels", NULL };
	struct json_reader r = { .arena = arena, .where = "answer" };
	struct json doc;

	*out = (struct talk_answer){0};
	if (!parse(arena, text, TALK_ANSWER_MAX, &doc, why))
		return false;
	struct json_value root = json_root(&doc);
	json_read_int(&r, root, "protocol", REQUIRED, 0, INT32_MAX,
	    &out->protocol);
	json_read_str(&r, root, "version", REQUIRED, &out->version);
	json_read_bool(&r, root, "ok", REQUIRED, &out->ok);
	json_read_str(&r, root, "reason", OPTIONAL, &out->answer.reason);
	out->answer.ok = out->ok;
	if (!r.failed && out->protocol == TALK_PROTOCOL) {
		json_only_keys(&r, root, keys);
		json_read_bool(&r, root, "conflict", REQUIRED,
		    &out->answer.conflict);
		read_tunnels(&r, root, &out->answer);
	}
	*why = r.why;
	return !r.failed;
}
