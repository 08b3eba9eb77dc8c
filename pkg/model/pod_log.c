/*
 * pod_log.c - what a pod's container has printed, and the endpoint for it.
 *
 * With real containers their output is handed in by model_container_print();
 * else the model makes up what the start script of RunPod's own images
 * says, with the fingerprint of a host key that is another one after each
 * start.
 */
#include "base/strbuf.h"
#include "model/rest.h"

enum { TAIL = 100, TAIL_MAX = 5000, LINE_BYTES_MAX = 4096 };

struct str
model_pod_host_key(struct arena *arena, const struct model_pod *pod)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t x = str_hash(pod->id) + (uint64_t)pod->start_number *
	    UINT64_C(0x9e3779b97f4a7c15);
	char text[50] = "SHA256:";

	for (size_t i = 7; i < sizeof text; i++) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
		/* 43 letters are 258 bits: the last ends in two zero bits. */
		text[i] = letters[i + 1 == sizeof text ? x >> 60 << 2
		    : x >> 58];
	}
	return arena_str(arena, (struct str){ text, sizeof text });
}

static void
add_line(struct model *model, struct model_pod *pod, bool system,
    struct str text)
{
	struct { struct model_line *items; size_t n, cap; } lines = {
		pod->lines, pod->nlines, pod->lines_cap,
	};

	*ARENA_PUSH(&model->arena, &lines) = (struct model_line){
		model->now_ms, system, arena_str(&model->arena, text) };
	pod->lines = lines.items;
	pod->nlines = lines.n;
	pod->lines_cap = lines.cap;
}

static void
add_lines(struct model *model, struct model_pod *pod, struct str bytes)
{
	while (bytes.len > 0)
		add_line(model, pod, false, str_sub(str_cut(bytes, '\n',
		    &bytes), 0, LINE_BYTES_MAX));
}

void
model_container_print(struct model *model, int64_t now_ms, struct str id,
    struct str bytes)
{
	struct model_pod *pod;

	model_advance(model, now_ms);
	pod = model_pod_living(model, id);
	if (pod != NULL && pod->status == MODEL_STARTING)
		pod->early = arena_printf(&model->arena, STR_FMT STR_FMT,
		    STR_ARG(pod->early), STR_ARG(bytes));
	else if (pod != NULL)
		add_lines(model, pod, bytes);
}

void
model_pod_log_begin(struct model *model, struct model_pod *pod)
{
	pod->early = (struct str){0};
	add_line(model, pod, true, STR("create container"));
	add_line(model, pod, true, STR("image pulled"));
}

void
model_pod_log_up(struct model *model, struct model_pod *pod)
{
	struct arena scratch = {0};

	add_line(model, pod, true, STR("start container: begin"));
	add_lines(model, pod, pod->early);
	pod->early = (struct str){0};
	if (!model->config.real_containers) {
		if (model_pod_env(pod, "PUBLIC_KEY").len > 0) {
			add_line(model, pod, false,
			    STR("ED25519 key fingerprint:"));
			add_line(model, pod, false, arena_printf(&scratch,
			    "256 " STR_FMT " root@" STR_FMT " (ED25519)",
			    STR_ARG(model_pod_host_key(&scratch, pod)),
			    STR_ARG(pod->id)));
		}
		add_line(model, pod, false,
		    STR("Start script(s) finished, Pod is ready to use."));
	}
	arena_release(&scratch);
}

/* ------------------------------------------------------------ endpoint -- */

/* RFC 3339 to the microsecond: the last three digits tell lines of one
 * millisecond apart. */
static struct str
id_of(struct arena *arena, const struct model_line *line, size_t i)
{
	struct str second = model_rfc3339(arena, line->ms / 1000 * 1000);

	return arena_printf(arena, STR_FMT ".%03d%03dZ",
	    STR_ARG(str_sub(second, 0, 19)), (int)(line->ms % 1000),
	    (int)(i % 1000));
}

static void
put_line(struct strbuf *text, struct str id, const struct model_line *line)
{
	struct arena scratch = {0};
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_member(&out, "ts", id);
	json_out_member_c(&out, "source", line->system ? "system"
	    : "container");
	json_out_member(&out, "line", line->text);
	json_out_close(&out, '}');
	strbuf_addf(text, "id: " STR_FMT "\ndata: ", STR_ARG(id));
	strbuf_add(text, json_out_take(&out, &scratch));
	strbuf_adds(text, "\n\n");
	arena_release(&scratch);
}

static bool
read_tail(struct rest *rest, size_t *tail)
{
	struct str text = rest_query(rest, "tail");
	size_t n = 0;

	*tail = TAIL;
	if (text.data == NULL)
		return true;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9' || n > TAIL_MAX)
			return false;
		n = n * 10 + (size_t)(text.data[i] - '0');
	}
	*tail = n;
	return text.len > 0 && n <= TAIL_MAX;
}

/* Lines that are asked for, oldest first: the last `tail` of them. */
static void
put_lines(struct rest *rest, const struct model_pod *pod, size_t tail,
    int64_t since_ms)
{
	struct str source = rest_query(rest, "source");
	struct str after = rest->request->last_event_id;
	VEC_OF(size_t) wanted = {0};
	struct strbuf text = {0};

	for (size_t i = 0; i < pod->nlines; i++) {
		const struct model_line *line = &pod->lines[i];
		if ((source.len > 0 &&
		    str_is(source, "system") != line->system) ||
		    line->ms < since_ms || (after.len > 0 &&
		    str_cmp(id_of(rest->arena, line, i), after) <= 0))
			continue;
		*ARENA_PUSH(rest->arena, &wanted) = i;
	}
	for (size_t i = wanted.n > tail ? wanted.n - tail : 0; i < wanted.n;
	    i++)
		put_line(&text, id_of(rest->arena,
		    &pod->lines[wanted.items[i]], wanted.items[i]),
		    &pod->lines[wanted.items[i]]);
	rest->reply->body = arena_str(rest->arena, strbuf_str(&text));
	strbuf_release(&text);
}

/* What there is to say so far; whoever serves it keeps the stream open. */
void
rest_pod_logs(struct rest *rest)
{
	struct model_pod *pod = model_pod_shown(rest->model, rest->id);
	struct str source = rest_query(rest, "source");
	struct str since = rest_query(rest, "since");
	int64_t since_ms = 0;
	size_t tail;

	if (pod == NULL) {
		rest_problem(rest, 404, "resource not found");
	} else if (source.data != NULL && !str_is(source, "container") &&
	    !str_is(source, "system")) {
		rest_problem(rest, 422, "source must be container or system");
	} else if (!read_tail(rest, &tail)) {
		rest_problem(rest, 422, "tail must be between 0 and 5000");
	} else if (since.data != NULL && !model_parse_time(since, &since_ms)) {
		rest_problem(rest, 422, "since must be an RFC 3339 time");
	} else {
		rest->reply->status = 200;
		rest->reply->content_type = STR("text/event-stream");
		put_lines(rest, pod, tail, since_ms);
	}
}

void
model_log_more(struct model *model, int64_t now_ms, struct arena *arena,
    const struct model_request *request, struct model_reply *reply)
{
	*reply = (struct model_reply){0};
	model_advance(model, now_ms);
	model_serve(model, arena, request, reply);
}
