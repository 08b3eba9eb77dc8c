/*
 * github_http.c - one request through the hub: who asks, may they, which
 * handler, faults around it, and the headers that every answer has.
 */
#include "model/github_state.h"

#include <json-c/json.h>

enum need { NEED_NOTHING, NEED_LOGIN, NEED_READ, NEED_WRITE, NEED_APP };
enum { R = 1, O = 2, N = 4, RO = R | O };	/* repository, org, neither */

static const struct route {
	const char *method;
	unsigned scopes;
	const char *path;		/* after the scope; `*` is one part */
	enum need need;
	enum hub_call call;
	hub_handler *handler;
} routes[] = {
	{ "GET", RO, "actions/runners", NEED_READ, HUB_LIST,
	    hub_list_runners },
	{ "GET", RO, "actions/runners/downloads", NEED_READ, HUB_DOWNLOADS,
	    hub_downloads },
	{ "GET", RO, "actions/runners/deprecations/*", NEED_READ,
	    HUB_DEPRECATION, hub_deprecation },
	{ "POST", RO, "actions/runners/registration-token", NEED_WRITE,
	    HUB_TOKEN, hub_registration_token },
	{ "POST", RO, "actions/runners/remove-token", NEED_WRITE, HUB_TOKEN,
	    hub_remove_token },
	{ "POST", RO, "actions/runners/generate-jitconfig", NEED_WRITE,
	    HUB_JIT, hub_generate_jit },
	{ "GET", RO, "actions/runners/*", NEED_READ, HUB_GET,
	    hub_get_runner },
	{ "DELETE", RO, "actions/runners/*", NEED_WRITE, HUB_DELETE,
	    hub_delete_runner },
	{ "GET", RO, "actions/runners/*/labels", NEED_READ, HUB_LABELS,
	    hub_get_labels },
	{ "POST", RO, "actions/runners/*/labels", NEED_WRITE, HUB_LABELS,
	    hub_add_labels },
	{ "PUT", RO, "actions/runners/*/labels", NEED_WRITE, HUB_LABELS,
	    hub_put_labels },
	{ "DELETE", RO, "actions/runners/*/labels", NEED_WRITE, HUB_LABELS,
	    hub_delete_labels },
	{ "DELETE", RO, "actions/runners/*/labels/*", NEED_WRITE, HUB_LABELS,
	    hub_delete_label },
	{ "GET", O, "actions/runner-groups", NEED_READ, HUB_GROUPS,
	    hub_list_groups },
	{ "GET", O, "actions/runner-groups/*", NEED_READ, HUB_GROUPS,
	    hub_get_group },
	{ "GET", O, "actions/runner-groups/*/runners", NEED_READ, HUB_GROUPS,
	    hub_group_runners },
	{ "GET", O, "actions/permissions/self-hosted-runners", NEED_READ,
	    HUB_OTHER, hub_policy },
	{ "GET", R, "", NEED_LOGIN, HUB_REPO, hub_get_repository },
	{ "GET", O, "", NEED_LOGIN, HUB_REPO, hub_get_organization },
	{ "GET", R, "actions/runs", NEED_LOGIN, HUB_RUNS, hub_list_runs },
	{ "GET", R, "actions/runs/*", NEED_LOGIN, HUB_RUNS, hub_get_run },
	{ "GET", R, "actions/runs/*/jobs", NEED_LOGIN, HUB_RUNS,
	    hub_list_jobs },
	{ "GET", R, "actions/jobs/*", NEED_LOGIN, HUB_RUNS, hub_get_job },
	{ "POST", R, "actions/runs/*/cancel", NEED_WRITE, HUB_RUNS,
	    hub_cancel_run },
	{ "POST", R, "actions/runs/*/force-cancel", NEED_WRITE, HUB_RUNS,
	    hub_cancel_run },
	{ "POST", R, "actions/jobs/*/rerun", NEED_WRITE, HUB_RUNS,
	    hub_rerun_job },
	{ "GET", RO, "installation", NEED_APP, HUB_APP,
	    hub_find_installation },
	{ "GET", N, "app", NEED_APP, HUB_APP, hub_get_app },
	{ "GET", N, "app/installations", NEED_APP, HUB_APP,
	    hub_list_installations },
	{ "POST", N, "app/installations/*/access_tokens", NEED_APP, HUB_APP,
	    hub_access_token },
	{ "GET", N, "rate_limit", NEED_NOTHING, HUB_OTHER, hub_rate_limit },
};

/* ------------------------------------------------------------- answers -- */

bool
hub_struck(const struct hub_exchange *x, enum hub_fault fault)
{
	return (x->strike.faults >> fault & 1) != 0;
}

void
hub_json(struct hub_exchange *x, int status, struct json_out *out)
{
	x->reply->status = status;
	x->reply->content_type = STR("application/json; charset=utf-8");
	x->reply->body = json_out_take(out, x->arena);
}

void
hub_empty(struct hub_exchange *x, int status)
{
	x->reply->status = status;
	x->reply->content_type = x->reply->body = (struct str){0};
}

static void
begin_error(struct json_out *out, struct str message)
{
	json_out_open(out, '{');
	json_out_member(out, "message", message);
}

static void
end_error(struct hub_exchange *x, struct json_out *out, int status)
{
	json_out_member_c(out, "documentation_url",
	    "https://docs.github.com/rest/actions/self-hosted-runners");
	json_out_member(out, "status", arena_printf(x->arena, "%d", status));
	json_out_close(out, '}');
	hub_json(x, status, out);
}

void
hub_error(struct hub_exchange *x, int status, const char *format, ...)
{
	struct json_out out = {0};
	va_list args;

	va_start(args, format);
	begin_error(&out, arena_vprintf(x->arena, format, args));
	va_end(args);
	end_error(x, &out, status);
}

void
hub_invalid(struct hub_exchange *x, const char *field, const char *message)
{
	struct json_out out = {0};

	begin_error(&out, STR("Validation Failed"));
	json_out_key(&out, "errors");
	json_out_open(&out, '[');
	json_out_open(&out, '{');
	json_out_member_c(&out, "resource", "Runner");
	json_out_member_c(&out, "field", field);
	json_out_member_c(&out, "code", "invalid");
	json_out_member_c(&out, "message", message);
	json_out_close(&out, '}');
	json_out_close(&out, ']');
	end_error(x, &out, 422);
}

struct str
hub_query(const struct hub_exchange *x, const char *name)
{
	struct model_request request = { .query = x->request->query };
	struct rest rest = { .arena = x->arena, .request = &request };

	return rest_query(&rest, name);
}

struct json_object *
hub_body(struct hub_exchange *x)
{
	struct json_object *body = hub_parse(x->request->body);

	if (json_object_is_type(body, json_type_object))
		return body;
	if (body == NULL)
		hub_error(x, 400, "Problems parsing JSON");
	else
		hub_error(x, 400, "Body should be a JSON object");
	json_object_put(body);
	return NULL;
}

struct str
hub_base(const struct hub_exchange *x)
{
	return x->request->base.len > 0 ? x->request->base
	    : STR("https://api.github.com");
}

struct str
hub_web(const struct hub_exchange *x)
{
	struct str base = hub_base(x), api = STR("/api/v3");

	if (str_is(base, "https://api.github.com"))
		return STR("https://github.com");
	return str_ends(base, api) ? str_sub(base, 0, base.len - api.len)
	    : base;
}

/* --------------------------------------------------------------- pages -- */

static struct str
page_url(struct hub_exchange *x, size_t page, size_t per_page)
{
	struct str query = x->request->query, text;

	text = arena_printf(x->arena, STR_FMT STR_FMT "?",
	    STR_ARG(hub_base(x)), STR_ARG(x->request->path));
	while (query.len > 0) {
		struct str part = str_cut(query, '&', &query);
		if (!str_starts(part, STR("page=")) &&
		    !str_starts(part, STR("per_page=")))
			text = arena_printf(x->arena, STR_FMT STR_FMT "&",
			    STR_ARG(text), STR_ARG(part));
	}
	return arena_printf(x->arena, STR_FMT "per_page=%zu&page=%zu",
	    STR_ARG(text), per_page, page);
}

void
hub_page_of(struct hub_exchange *x, size_t total, size_t *from, size_t *to)
{
	int64_t per = 30, page = 1;
	struct str link = {0};
	size_t last;

	if (!hub_number(hub_query(x, "per_page"), &per) || per < 1)
		per = 30;
	if (per > 100)
		per = 100;
	if (!hub_number(hub_query(x, "page"), &page) || page < 1)
		page = 1;
	last = (total + (size_t)per - 1) / (size_t)per;
	*from = (size_t)(page - 1) * (size_t)per;
	*from = *from > total ? total : *from;
	*to = *from + (size_t)per > total ? total : *from + (size_t)per;
	if (page > 1)
		link = arena_printf(x->arena, "<" STR_FMT ">; rel=\"prev\", ",
		    STR_ARG(page_url(x, (size_t)page - 1, (size_t)per)));
	if ((size_t)page < last)
		link = arena_printf(x->arena, STR_FMT "<" STR_FMT
		    ">; rel=\"next\", <" STR_FMT ">; rel=\"last\", ",
		    STR_ARG(link), STR_ARG(page_url(x, (size_t)page + 1,
		    (size_t)per)), STR_ARG(page_url(x, last, (size_t)per)));
	if (page > 1)
		link = arena_printf(x->arena, STR_FMT "<" STR_FMT
		    ">; rel=\"first\", ", STR_ARG(link),
		    STR_ARG(page_url(x, 1, (size_t)per)));
	if (link.len > 0)
		rest_header(x->reply, "Link", str_sub(link, 0, link.len - 2));
}

/* ------------------------------------------------------------- routing -- */

static bool
split_path(struct hub_exchange *x)
{
	struct str path = x->request->path;

	if (path.len < 2 || path.data[0] != '/')
		return false;
	path = str_sub(path, 1, path.len);
	for (;;) {
		struct str part = str_cut(path, '/', &path);
		if (part.len == 0 || x->nparts == HUB_PARTS_MAX)
			return false;	/* also a slash at the end */
		x->parts[x->nparts++] = hub_unpercent(x->arena, part);
		if (path.data == NULL)
			return true;
	}
}

/* What the path is about; the parts that are left go to x->rest. */
static unsigned
find_scope(struct hub_exchange *x)
{
	struct hub *hub = x->hub;
	size_t used = 0;
	int64_t id;

	if (x->nparts >= 3 && str_is(x->parts[0], "repos")) {
		x->scope = hub_find_scope(hub, arena_printf(x->arena,
		    STR_FMT "/" STR_FMT, STR_ARG(x->parts[1]),
		    STR_ARG(x->parts[2])));
		used = 3;
	} else if (x->nparts >= 2 && str_is(x->parts[0], "orgs")) {
		if (str_find(x->parts[1], '/') < 0)
			x->scope = hub_find_scope(hub, x->parts[1]);
		used = 2;
	} else if (x->nparts >= 2 && str_is(x->parts[0], "repositories") &&
	    hub_number(x->parts[1], &id)) {
		for (size_t i = 0; i < hub->scopes.n; i++)
			if (hub->scopes.items[i]->id == id &&
			    hub->scopes.items[i]->renamed_to.data == NULL)
				x->scope = hub->scopes.items[i];
		used = 2;
	}
	for (size_t i = used; i < x->nparts; i++)
		x->rest[x->nrest++] = x->parts[i];
	if (used == 0)
		return N;
	return x->scope == NULL ? 0
	    : x->scope->kind == HUB_REPOSITORY ? R : O;
}

static bool
matches(struct hub_exchange *x, const char *path)
{
	struct str rest = str_from(path), found[2] = {0};
	size_t n = 0;

	for (size_t i = 0; i < x->nrest; i++) {
		struct str part = str_cut(rest, '/', &rest);
		if (str_is(part, "*") && n < 2)
			found[n++] = x->rest[i];
		else if (!str_eq(part, x->rest[i]))
			return false;
	}
	x->id = found[0];
	x->id2 = found[1];
	return rest.len == 0;
}

static const struct route *
find_route(struct hub_exchange *x, unsigned scope)
{
	for (size_t i = 0; i < COUNTOF(routes); i++)
		if ((routes[i].scopes & scope) != 0 &&
		    str_is(x->request->method, routes[i].method) &&
		    matches(x, routes[i].path))
			return &routes[i];
	return NULL;
}

static void
moved(struct hub_exchange *x)
{
	bool get = str_is(x->request->method, "GET");
	struct str url = arena_printf(x->arena, STR_FMT "/repositories/%lld",
	    STR_ARG(hub_base(x)), (long long)x->scope->id);
	struct json_out out = {0};

	for (size_t i = 0; i < x->nrest; i++)
		url = arena_printf(x->arena, STR_FMT "/" STR_FMT,
		    STR_ARG(url), STR_ARG(x->rest[i]));
	if (x->request->query.len > 0)
		url = arena_printf(x->arena, STR_FMT "?" STR_FMT,
		    STR_ARG(url), STR_ARG(x->request->query));
	rest_header(x->reply, "Location", url);
	begin_error(&out, get ? STR("Moved Permanently")
	    : STR("Temporary Redirect"));
	json_out_member(&out, "url", url);
	end_error(x, &out, get ? 301 : 307);
}

/* --------------------------------------------------------- who may what -- */

static struct hub_token *
find_token(struct hub *hub, struct str authorization)
{
	struct str text, scheme = str_cut(authorization, ' ', &text);

	if (!str_eq_fold(scheme, STR("bearer")) &&
	    !str_eq_fold(scheme, STR("token")))
		return NULL;
	text = str_trim(text);
	for (size_t i = 0; i < hub->tokens.n; i++)
		if (str_eq(hub->tokens.items[i]->text, text) &&
		    (hub->tokens.items[i]->expires_ms < 0 ||
		    hub->tokens.items[i]->expires_ms > hub->now_ms))
			return hub->tokens.items[i];
	return NULL;
}

static const char *
wanted_permission(const struct hub_exchange *x, enum need need)
{
	bool write = need == NEED_WRITE;

	if (x->scope != NULL && x->scope->kind == HUB_ORGANIZATION)
		return write ? "organization_self_hosted_runners=write"
		    : "organization_self_hosted_runners=read";
	return write ? "administration=write" : "administration=read";
}

/* false: it was answered. */
static bool
allowed(struct hub_exchange *x, enum need need)
{
	enum hub_role role = x->token->role;

	if (role == ROLE_NONE) {
		hub_error(x, 404, "Not Found");
		return false;
	}
	if (x->token->scopes != NULL)
		rest_header(x->reply, "x-oauth-scopes",
		    str_from(x->token->scopes));
	if (need == NEED_LOGIN)
		return true;
	rest_header(x->reply, "x-accepted-github-permissions",
	    str_from(wanted_permission(x, need)));
	if (role == ROLE_NO_PERMISSION ||
	    (role == ROLE_READ && need == NEED_WRITE)) {
		hub_error(x, 403, "Resource not accessible by %s",
		    x->token->app ? "integration" : "personal access token");
		return false;
	}
	if (need == NEED_WRITE && x->scope != NULL && x->scope->forbidden) {
		hub_error(x, 403, "Repository level self-hosted runners are "
		    "disabled on this repository.");
		return false;
	}
	return true;
}

static bool
polite(struct hub_exchange *x)
{
	struct str version = x->request->api_version;

	if (x->request->user_agent.len == 0) {
		hub_error(x, 403, "Request forbidden by administrative rules. "
		    "Please make sure your request has a User-Agent header");
		return false;
	}
	if (version.len > 0 && !str_is(version, "2022-11-28") &&
	    !str_is(version, "2026-03-10")) {
		hub_error(x, 400, "The API version \"" STR_FMT "\" is not "
		    "supported.", STR_ARG(version));
		return false;
	}
	rest_header(x->reply, "x-github-api-version-selected",
	    version.len > 0 ? version : STR("2022-11-28"));
	return true;
}

/* ---------------------------------------------------------- rate limit -- */

static bool
within_limit(struct hub_exchange *x)
{
	struct model_window *window = &x->token->window;
	int64_t now = x->hub->now_ms;

	if (now >= window->start_ms + HUB_HOUR_MS)
		*window = (struct model_window){ .start_ms = now };
	if (x->hub->config.limit_per_hour == 0 ||
	    window->used < x->hub->config.limit_per_hour)
		return true;
	hub_error(x, 403, "API rate limit exceeded for user ID 1.");
	return false;
}

static void
limit_headers(struct hub_exchange *x)
{
	int64_t limit = x->hub->config.limit_per_hour, used, reset;

	if (limit == 0)
		return;
	used = x->token == NULL ? 0 : x->token->window.used;
	reset = (x->token == NULL ? x->hub->now_ms
	    : x->token->window.start_ms) + HUB_HOUR_MS;
	if (hub_struck(x, HUB_EXHAUSTED)) {
		used = limit;
		reset = x->hub->now_ms + 90 * 1000;
	}
	const struct { const char *name; int64_t value; } rows[] = {
		{ "x-ratelimit-limit", limit },
		{ "x-ratelimit-remaining", limit - used },
		{ "x-ratelimit-used", used },
		{ "x-ratelimit-reset", (reset + 999) / 1000 },
	};
	for (size_t i = 0; i < COUNTOF(rows); i++)
		rest_header(x->reply, rows[i].name, arena_printf(x->arena,
		    "%lld", (long long)rows[i].value));
	rest_header(x->reply, "x-ratelimit-resource", STR("core"));
}

/* A 304 costs nothing. */
static void
conditional(struct hub_exchange *x)
{
	struct str tag;
	bool same;

	if (!str_is(x->request->method, "GET") || x->reply->status != 200)
		return;
	tag = arena_printf(x->arena, "W/\"%016llx\"",
	    (unsigned long long)str_hash(x->reply->body));
	same = str_eq(tag, x->request->if_none_match);
	if (!same && x->request->if_none_match.len > 0 &&
	    hub_struck(x, HUB_STALE_304)) {
		hub_strike_fired(x, HUB_STALE_304);
		same = true;
		tag = x->request->if_none_match;
	}
	rest_header(x->reply, "ETag", tag);
	rest_header(x->reply, "Cache-Control", STR("private, max-age=60"));
	if (same) {
		hub_empty(x, 304);
		x->token->window.used -= x->call != HUB_OTHER;
	}
}

/* ------------------------------------------------------------- request -- */

static void
serve(struct hub_exchange *x, const struct route *route)
{
	if (hub_strike_before(x))
		return;
	if (route->need < NEED_READ || route->need == NEED_APP ||
	    allowed(x, route->need)) {
		size_t before = x->hub->log.n;
		route->handler(x);
		hub_schedule(x->hub);
		x->reply->changed = x->hub->log.n != before;
	}
	if (x->token != NULL)
		conditional(x);
	hub_strike_after(x);
}

static void
ask(struct hub_exchange *x)
{
	unsigned scope = 0;
	const struct route *route;

	if (!polite(x))
		return;
	x->token = find_token(x->hub, x->request->authorization);
	if (split_path(x))
		scope = find_scope(x);
	route = find_route(x, scope);
	x->call = route == NULL ? HUB_OTHER : route->call;
	x->hub->calls[x->call]++;
	hub_strike_draw(x->hub, x->call, &x->strike);
	if (route == NULL || route->need != NEED_APP) {
		if (x->token == NULL &&
		    (route == NULL || route->need != NEED_NOTHING)) {
			hub_error(x, 401, x->request->authorization.len > 0
			    ? "Bad credentials" : "Requires authentication");
			return;
		}
		if (x->token != NULL && !within_limit(x))
			return;
		if (x->token != NULL)
			x->token->window.used += x->call != HUB_OTHER;
	}
	if (route == NULL) {
		hub_error(x, 404, "Not Found");
	} else if (x->scope != NULL && x->scope->renamed_to.data != NULL) {
		moved(x);
	} else {
		if (route->need == NEED_LOGIN && !allowed(x, NEED_LOGIN))
			return;
		serve(x, route);
	}
}

void
hub_http(struct hub *hub, int64_t now_ms, struct arena *arena,
    const struct hub_request *request, struct model_reply *reply)
{
	struct hub_exchange x = {
		.hub = hub, .arena = arena, .request = request,
		.reply = reply, .call = HUB_OTHER,
	};

	*reply = (struct model_reply){0};
	hub_advance(hub, now_ms);
	hub->request_number++;
	if (str_starts(request->path, STR("/_sim/"))) {
		if (!split_path(&x) || !hub_wire(&x))
			hub_error(&x, 404, "Not Found");
	} else {
		rest_header(reply, "x-github-request-id", arena_printf(arena,
		    "%04llX:%06llX", (unsigned long long)hub->config.seed &
		    0xffff, (unsigned long long)hub->request_number));
		ask(&x);
		if (reply->transport == MODEL_ANSWERED)
			limit_headers(&x);
	}
	reply->delay_ms += hub->config.latency_ms;
}
