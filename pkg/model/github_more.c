/* github_more.c - packages, versions, groups, repositories, limits. */
#include "model/github_state.h"

/* ------------------------------------------------------------- packages -- */

/* As long and as hex as a digest; of packages that nobody downloads here. */
static struct str
made_up_digest(struct arena *arena, const char *seed)
{
	struct str text = STR("");

	for (uint64_t i = 0, n = str_hash(str_from(seed)); i < 4; i++) {
		n = n * UINT64_C(0x9e3779b97f4a7c15) + i;
		text = arena_printf(arena, STR_FMT "%016llx", STR_ARG(text),
		    (unsigned long long)n);
	}
	return text;
}

static void
put_package(struct hub_exchange *x, struct json_out *out, const char *os,
    const char *architecture, const char *suffix)
{
	const struct hub_package *package = &x->hub->config.packages[0];
	struct str name = arena_printf(x->arena, "actions-runner-%s-%s-%s.%s",
	    os, architecture, package->version, suffix), digest;
	bool real = str_is(arena_printf(x->arena, "%s-%s", os, architecture),
	    "linux-x64");

	json_out_open(out, '{');
	json_out_member_c(out, "os", os);
	json_out_member_c(out, "architecture", architecture);
	json_out_member(out, "download_url", arena_printf(x->arena, STR_FMT
	    "/actions/runner/releases/download/v%s/" STR_FMT,
	    STR_ARG(hub_web(x)), package->version, STR_ARG(name)));
	json_out_member(out, "filename", name);
	digest = real ? str_from(package->sha256)
	    : made_up_digest(x->arena, name.data);
	if (digest.len > 0)
		json_out_member(out, "sha256_checksum", digest);
	json_out_close(out, '}');
}

void
hub_downloads(struct hub_exchange *x)
{
	struct json_out out = {0};

	json_out_open(&out, '[');
	if (x->hub->config.npackages > 0) {
		put_package(x, &out, "osx", "x64", "tar.gz");
		put_package(x, &out, "linux", "x64", "tar.gz");
		put_package(x, &out, "linux", "arm", "tar.gz");
		put_package(x, &out, "win", "x64", "zip");
		put_package(x, &out, "linux", "arm64", "tar.gz");
	}
	json_out_close(&out, ']');
	hub_json(x, 200, &out);
}

/* The newest has no end yet, the others end in 30 days, what is refused has
 * ended; nothing is known of the rest. */
void
hub_deprecation(struct hub_exchange *x)
{
	bool refused = hub_version_refused(x->hub, x->id);
	size_t at = 0, n = x->hub->config.npackages;
	int64_t end = x->hub->now_ms + (refused ? -24 : 30 * 24) *
	    HUB_HOUR_MS;
	struct str when = model_rfc3339(x->arena, end / 1000 * 1000);
	struct json_out out = {0};

	while (at < n && !str_is(x->id, x->hub->config.packages[at].version))
		at++;
	if (at == n && !refused) {
		hub_error(x, 404, "Not Found");
		return;
	}
	if (at == 0 && !refused)
		when = (struct str){0};
	json_out_open(&out, '{');
	json_out_member(&out, "runner_version", x->id);
	json_out_member_or_null(&out, "registration_deprecates_at", when);
	json_out_member_or_null(&out, "runtime_deprecates_at", when);
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

/* --------------------------------------------------------------- groups -- */

static void
put_group(struct hub_exchange *x, struct json_out *out,
    const struct hub_group *group)
{
	struct str url = arena_printf(x->arena, STR_FMT "/orgs/" STR_FMT
	    "/actions/runner-groups/%lld", STR_ARG(hub_base(x)),
	    STR_ARG(group->organization->name), (long long)group->id);

	json_out_open(out, '{');
	json_out_member_int(out, "id", group->id);
	json_out_member(out, "name", group->name);
	json_out_member_c(out, "visibility", "all");
	json_out_member_bool(out, "default", group->is_default);
	json_out_member(out, "runners_url", arena_printf(x->arena, STR_FMT
	    "/runners", STR_ARG(url)));
	json_out_member_bool(out, "inherited", false);
	json_out_member_bool(out, "allows_public_repositories",
	    group->allows_public);
	json_out_member_bool(out, "restricted_to_workflows", false);
	json_out_key(out, "selected_workflows");
	json_out_open(out, '[');
	json_out_close(out, ']');
	json_out_member_bool(out, "workflow_restrictions_read_only", false);
	json_out_close(out, '}');
}

void
hub_list_groups(struct hub_exchange *x)
{
	VEC_OF(struct hub_group *) found = {0};
	struct json_out out = {0};
	size_t from, to;

	for (size_t i = 0; i < x->hub->groups.n; i++)
		if (x->hub->groups.items[i]->organization == x->scope &&
		    !x->hub->groups.items[i]->dead)
			*ARENA_PUSH(x->arena, &found) =
			    x->hub->groups.items[i];
	hub_page(x, found.n, &from, &to);
	json_out_open(&out, '{');
	json_out_member_int(&out, "total_count", (int64_t)found.n);
	json_out_key(&out, "runner_groups");
	json_out_open(&out, '[');
	for (size_t i = from; i < to; i++)
		put_group(x, &out, found.items[i]);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

static struct hub_group *
group_or_404(struct hub_exchange *x)
{
	int64_t id;

	for (size_t i = 0; hub_number(x->id, &id) &&
	    i < x->hub->groups.n; i++)
		if (x->hub->groups.items[i]->organization == x->scope &&
		    x->hub->groups.items[i]->id == id &&
		    !x->hub->groups.items[i]->dead)
			return x->hub->groups.items[i];
	hub_error(x, 404, "Not Found");
	return NULL;
}

void
hub_get_group(struct hub_exchange *x)
{
	struct hub_group *group = group_or_404(x);
	struct json_out out = {0};

	if (group == NULL)
		return;
	put_group(x, &out, group);
	hub_json(x, 200, &out);
}

void
hub_group_runners(struct hub_exchange *x)
{
	struct hub_group *group = group_or_404(x);
	VEC_OF(struct hub_runner *) found = {0};
	struct json_out out = {0};
	size_t from, to;

	if (group == NULL)
		return;
	for (size_t i = 0; i < x->hub->runners.n; i++) {
		struct hub_runner *runner = x->hub->runners.items[i];
		if (runner->removed_ms < 0 && runner->scope == x->scope &&
		    runner->group_id == group->id)
			*ARENA_PUSH(x->arena, &found) = runner;
	}
	hub_page(x, found.n, &from, &to);
	json_out_open(&out, '{');
	json_out_member_int(&out, "total_count", (int64_t)found.n);
	json_out_key(&out, "runners");
	json_out_open(&out, '[');
	for (size_t i = from; i < to; i++)
		hub_put_runner(x, &out, found.items[i]);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

void
hub_policy(struct hub_exchange *x)
{
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_member_c(&out, "enabled_repositories", "all");
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

/* --------------------------------------------------------------- places -- */

void
hub_get_repository(struct hub_exchange *x)
{
	struct str name, owner = str_cut(x->scope->name, '/', &name);
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_member_int(&out, "id", x->scope->id);
	json_out_member(&out, "name", name);
	json_out_member(&out, "full_name", x->scope->name);
	json_out_key(&out, "owner");
	json_out_open(&out, '{');
	json_out_member(&out, "login", owner);
	json_out_member_c(&out, "type", "Organization");
	json_out_close(&out, '}');
	json_out_member_bool(&out, "private", x->scope->is_private);
	json_out_member_c(&out, "visibility", x->scope->is_private
	    ? "private" : "public");
	json_out_member(&out, "html_url", arena_printf(x->arena, STR_FMT "/"
	    STR_FMT, STR_ARG(hub_web(x)), STR_ARG(x->scope->name)));
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

void
hub_get_organization(struct hub_exchange *x)
{
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_member_int(&out, "id", x->scope->id);
	json_out_member(&out, "login", x->scope->name);
	json_out_member_c(&out, "type", "Organization");
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

void
hub_rate_limit(struct hub_exchange *x)
{
	int64_t limit = x->hub->config.limit_per_hour;
	int64_t used = x->token == NULL ? 0 : x->token->window.used;
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_key(&out, "resources");
	json_out_open(&out, '{');
	json_out_key(&out, "core");
	json_out_open(&out, '{');
	json_out_member_int(&out, "limit", limit);
	json_out_member_int(&out, "used", used);
	json_out_member_int(&out, "remaining", limit - used);
	json_out_member_int(&out, "reset", (x->hub->now_ms + HUB_HOUR_MS) /
	    1000);
	json_out_close(&out, '}');
	json_out_close(&out, '}');
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}
