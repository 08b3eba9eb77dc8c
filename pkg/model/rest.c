/* rest.c - see rest.h: routes, answers, queries, pages. */
#include "model/rest.h"

static const struct route {
	const char *method, *path;	/* "*" is the {id} */
	enum model_call call;
	rest_handler *handler;
} routes[] = {
	{ "GET", "/v2/pods", MODEL_POD_LIST, rest_list_pods },
	{ "POST", "/v2/pods", MODEL_POD_CREATE, rest_create_pod },
	{ "GET", "/v2/pods/*", MODEL_POD_GET, rest_get_pod },
	{ "PATCH", "/v2/pods/*", MODEL_POD_UPDATE, rest_patch_pod },
	{ "DELETE", "/v2/pods/*", MODEL_POD_DELETE, rest_delete_pod },
	{ "POST", "/v2/pods/*/action", MODEL_POD_STOP, rest_act_on_pod },
	{ "GET", "/v2/pods/*/logs", MODEL_OTHER, rest_pod_logs },
	{ "GET", "/v2/network-volumes", MODEL_VOLUME_LIST,
	    rest_list_volumes },
	{ "POST", "/v2/network-volumes", MODEL_VOLUME_CREATE,
	    rest_create_volume },
	{ "GET", "/v2/network-volumes/*", MODEL_VOLUME_GET,
	    rest_get_volume },
	{ "PATCH", "/v2/network-volumes/*", MODEL_VOLUME_UPDATE,
	    rest_patch_volume },
	{ "DELETE", "/v2/network-volumes/*", MODEL_VOLUME_DELETE,
	    rest_delete_volume },
	{ "GET", "/v2/templates", MODEL_OTHER, rest_list_templates },
	{ "POST", "/v2/templates", MODEL_OTHER, rest_create_template },
	{ "GET", "/v2/templates/*", MODEL_OTHER, rest_get_template },
	{ "PATCH", "/v2/templates/*", MODEL_OTHER, rest_patch_template },
	{ "DELETE", "/v2/templates/*", MODEL_OTHER, rest_delete_template },
	{ "GET", "/v2/registries", MODEL_OTHER, rest_list_registries },
	{ "POST", "/v2/registries", MODEL_OTHER, rest_create_registry },
	{ "GET", "/v2/registries/*", MODEL_OTHER, rest_get_registry },
	{ "DELETE", "/v2/registries/*", MODEL_OTHER, rest_delete_registry },
	{ "GET", "/v2/account/ssh-keys", MODEL_ACCOUNT, rest_get_ssh_keys },
	{ "PUT", "/v2/account/ssh-keys", MODEL_ACCOUNT, rest_put_ssh_keys },
	{ "GET", "/v2/catalog/gpus", MODEL_CATALOG, rest_list_gpus },
	{ "GET", "/v2/catalog/gpus/*", MODEL_CATALOG, rest_get_gpu },
	{ "GET", "/v2/catalog/cpus", MODEL_CATALOG, rest_list_cpus },
	{ "GET", "/v2/catalog/cpus/*", MODEL_CATALOG, rest_get_cpu },
	{ "GET", "/v2/catalog/datacenters", MODEL_CATALOG,
	    rest_list_places },
	{ "GET", "/v2/catalog/datacenters/*", MODEL_CATALOG,
	    rest_get_place },
	{ "GET", "/v2/catalog/templates", MODEL_CATALOG,
	    rest_list_public_templates },
	{ "GET", "/v2/billing", MODEL_OTHER, rest_billing },
	{ "GET", "/v2/billing/pods", MODEL_OTHER, rest_billing_pods },
	{ "GET", "/v2/billing/network-volumes", MODEL_OTHER,
	    rest_billing_volumes },
};

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct str
percent_decoded(struct arena *arena, struct str text, bool plus)
{
	char *out = arena_alloc(arena, text.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int high = i + 2 < text.len && text.data[i] == '%'
		    ? digit_value(text.data[i + 1]) : -1;
		int low = high >= 0 ? digit_value(text.data[i + 2]) : -1;
		if (low >= 0) {
			out[n++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[n++] = plus && text.data[i] == '+' ? ' '
			    : text.data[i];
		}
	}
	return (struct str){ out, n };
}

static bool
path_matches(const char *pattern, struct str path, struct str *id)
{
	struct str rest = str_from(pattern);

	while (rest.len > 0 && path.len > 0) {
		struct str part, got;
		rest = str_sub(rest, 1, rest.len);
		if (path.data[0] != '/')
			return false;
		path = str_sub(path, 1, path.len);
		ptrdiff_t a = str_find(rest, '/'), b = str_find(path, '/');
		part = str_sub(rest, 0, a < 0 ? rest.len : (size_t)a);
		got = str_sub(path, 0, b < 0 ? path.len : (size_t)b);
		if (got.len == 0)
			return false;
		if (str_is(part, "*"))
			*id = got;
		else if (!str_eq(part, got))
			return false;
		rest = str_sub(rest, part.len, rest.len);
		path = str_sub(path, got.len, path.len);
	}
	return rest.len == 0 && path.len == 0;
}

/* One path carries four calls. */
static enum model_call
action_call(struct str body)
{
	if (str_search(body, STR("\"start\"")) >= 0)
		return MODEL_POD_START;
	if (str_search(body, STR("\"restart\"")) >= 0)
		return MODEL_POD_RESTART;
	if (str_search(body, STR("\"terminate\"")) >= 0)
		return MODEL_POD_DELETE;
	return MODEL_POD_STOP;
}

rest_handler *
rest_route(struct arena *arena, const struct model_request *request,
    struct str *id, enum model_call *call, struct str *allow)
{
	*call = MODEL_OTHER;
	*allow = (struct str){0};
	*id = (struct str){0};
	for (size_t i = 0; i < COUNTOF(routes); i++) {
		if (!path_matches(routes[i].path, request->path, id))
			continue;
		if (str_is(request->method, routes[i].method)) {
			*id = percent_decoded(arena, *id, false);
			*call = routes[i].handler == rest_act_on_pod
			    ? action_call(request->body) : routes[i].call;
			return routes[i].handler;
		}
		*allow = arena_printf(arena, STR_FMT "%s%s",
		    STR_ARG(*allow), allow->len > 0 ? ", " : "",
		    routes[i].method);
	}
	return NULL;
}

static const char *
title_of(int status)
{
	static const struct { int status; const char *title; } titles[] = {
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 402, "Payment Required" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 409, "Conflict" }, { 422, "Unprocessable Entity" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" }, { 502, "Bad Gateway" },
		{ 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < COUNTOF(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

void
rest_json(struct rest *rest, int status, struct json_out *out)
{
	rest->reply->status = status;
	rest->reply->content_type = STR("application/json");
	rest->reply->body = json_out_take(out, rest->arena);
}

void
rest_empty(struct rest *rest)
{
	rest->reply->status = 204;
	rest->reply->content_type = (struct str){0};
	rest->reply->body = (struct str){0};
}

void
rest_problem_reply(struct arena *arena, struct model_reply *reply,
    int status, const char *detail, const struct str *errors, size_t n)
{
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_member_c(&out, "title", title_of(status));
	json_out_member_int(&out, "status", status);
	json_out_member_c(&out, "detail", detail);
	if (n > 0) {
		json_out_key(&out, "errors");
		json_out_open(&out, '[');
		for (size_t i = 0; i < n; i++)
			json_out_str(&out, errors[i]);
		json_out_close(&out, ']');
	}
	json_out_close(&out, '}');
	reply->status = status;
	reply->content_type = STR("application/problem+json");
	reply->body = json_out_take(&out, arena);
}

void
rest_problem(struct rest *rest, int status, const char *detail)
{
	rest_problem_reply(rest->arena, rest->reply, status, detail, NULL, 0);
}

void
rest_refused(struct rest *rest, const struct model_refusal *why)
{
	static const int status[] = {
		[MODEL_OK] = 500, [MODEL_NOT_FOUND] = 404, [MODEL_RULE] = 400,
		[MODEL_CAPACITY] = 400, [MODEL_HOST_FULL] = 400,
		[MODEL_FUNDS] = 402, [MODEL_STATE] = 409,
		[MODEL_INVALID] = 422,
	};
	struct json_out out = {0};

	if (why->kind != MODEL_HOST_FULL) {
		rest_problem(rest, status[why->kind], why->detail);
		return;
	}
	/* Live, this one comes without the problem's form. */
	json_out_open(&out, '{');
	json_out_member_c(&out, "error", why->detail);
	json_out_close(&out, '}');
	rest_json(rest, 400, &out);
}

void
rest_header(struct model_reply *reply, const char *name, struct str value)
{
	if (reply->nheaders < MODEL_HEADERS_MAX)
		reply->headers[reply->nheaders++] =
		    (struct model_header){ name, value };
}

struct str
rest_query(const struct rest *rest, const char *name)
{
	struct str query = rest->request->query;

	while (query.len > 0) {
		struct str after, pair = str_cut(query, '&', &after), value;
		struct str key = str_cut(pair, '=', &value);
		if (str_is(key, name))
			return percent_decoded(rest->arena, value, true);
		query = after;
	}
	return (struct str){0};
}

size_t
rest_split(struct arena *arena, struct str list, struct str **parts)
{
	VEC_OF(struct str) out = {0};

	while (list.len > 0) {
		struct str rest, part = str_cut(list, ',', &rest);
		*ARENA_PUSH(arena, &out) = part;
		list = rest;
	}
	*parts = out.items;
	return out.n;
}

static unsigned
cursor_sum(const char *kind, uint64_t before)
{
	return (unsigned)((before + 1) * 40503 + (unsigned char)kind[0]) &
	    0xffff;
}

struct str
rest_cursor(struct arena *arena, const char *kind, uint64_t before)
{
	return arena_printf(arena, "%08llx%04x", (unsigned long long)before,
	    cursor_sum(kind, before));
}

bool
rest_page(struct rest *rest, const char *kind, size_t *limit,
    uint64_t *before)
{
	struct str text = rest_query(rest, "limit");
	struct str cursor = rest_query(rest, "cursor");
	uint64_t n = 0;

	*limit = SIZE_MAX;
	*before = UINT64_MAX;
	for (size_t i = 0; i < text.len && n <= 1000; i++)
		n = text.data[i] >= '0' && text.data[i] <= '9'
		    ? n * 10 + (uint64_t)(text.data[i] - '0') : 1001;
	if (text.data != NULL && (n < 1 || n > 1000)) {
		rest_problem(rest, 422, "limit must be between 1 and 1000");
		return false;
	}
	if (text.data != NULL)
		*limit = (size_t)n;
	if (cursor.data == NULL)
		return true;
	for (n = 0, text = cursor; text.len > 0;
	    text = str_sub(text, 1, text.len)) {
		int digit = digit_value(text.data[0]);
		n = digit < 0 ? UINT64_MAX >> 4 : n << 4 | (uint64_t)digit;
	}
	*before = n >> 16;
	if (cursor.len == 12 && (n & 0xffff) == cursor_sum(kind, *before))
		return true;
	rest_problem(rest, 422, "invalid cursor");
	return false;
}

bool
rest_seen(const struct model *model, int64_t created_ms, int64_t ended_ms,
    int64_t keep_ms, int64_t stale_ms)
{
	int64_t then = model->now_ms - stale_ms;

	return created_ms <= then &&
	    (ended_ms < 0 || then < ended_ms + keep_ms);
}
