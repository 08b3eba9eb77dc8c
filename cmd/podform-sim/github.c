/* github.c - see github.h: paths below /github. */
#include "github.h"

#include <stdlib.h>

#include "package.h"

/* The newest comes first; GitHub offers that one only, the other is there
 * for those who pin it. */
static const char *const versions[] = { "9.999.0", "9.998.0" };

struct sim_github {
	struct arena arena;
	struct package packages[COUNTOF(versions)];
	struct hub_package told[COUNTOF(versions)];
};

void
github_begin(struct sim *sim)
{
	struct sim_github *github = calloc(1, sizeof *github);
	struct hub_config config;

	if (github == NULL)
		fail_out_of_memory();
	for (size_t i = 0; i < COUNTOF(versions); i++) {
		github->packages[i] = package_make(&github->arena,
		    versions[i]);
		github->told[i] = (struct hub_package){ versions[i],
		    github->packages[i].sha256 };
	}
	hub_config_default(&config);
	config.seed = sim->options->model.seed;
	config.token = sim->options->github_token;
	config.latency_ms = sim->options->model.latency_ms;
	config.packages = github->told;
	config.npackages = COUNTOF(versions);
	sim->github = github;
	sim->hub = hub_new(&config, sim_now(sim));
}

void
github_end(struct sim *sim)
{
	if (sim->github == NULL)
		return;
	hub_free(sim->hub);
	arena_release(&sim->github->arena);
	free(sim->github);
}

static void
plain(struct model_reply *reply, int status, struct str text)
{
	reply->status = status;
	reply->content_type = STR("text/plain; charset=utf-8");
	reply->body = text;
}

/* The package that this file name means, or NULL. */
static const struct package *
find_package(struct sim *sim, struct arena *arena, struct str name)
{
	for (size_t i = 0; i < COUNTOF(versions); i++)
		if (str_eq(name, arena_printf(arena,
		    "actions-runner-linux-x64-%s.tar.gz", versions[i])))
			return &sim->github->packages[i];
	return NULL;
}

/* As the network that serves them does: no credential may come along. */
static void
serve_file(struct sim *sim, struct arena *arena,
    const struct model_request *request, struct str name,
    struct model_reply *reply)
{
	const struct package *package = find_package(sim, arena, name);

	if (request->authorization.len > 0) {
		plain(reply, 400, STR("InvalidAuthenticationInfo: no "
		    "Authorization header belongs here\n"));
	} else if (package == NULL) {
		plain(reply, 404, STR("no such package\n"));
	} else {
		reply->status = 200;
		reply->content_type = STR("application/octet-stream");
		reply->body = package->bytes;
	}
}

/* The release page sends on to another host: localhost is not 127.0.0.1. */
static void
redirect(struct arena *arena, struct str host, struct str path,
    struct model_reply *reply)
{
	struct str port, name = str_sub(path, (size_t)str_rfind(path, '/') +
	    1, path.len);

	str_cut(host, ':', &port);
	plain(reply, 302, STR(""));
	reply->headers[reply->nheaders++] = (struct model_header){
		"Location", arena_printf(arena, "http://localhost:" STR_FMT
		    "/github/_cdn/" STR_FMT, STR_ARG(port), STR_ARG(name)) };
}

void
github_serve(struct sim *sim, struct arena *arena,
    const struct model_request *request,
    const struct github_headers *headers, struct model_reply *reply)
{
	struct str path = str_sub(request->path, sizeof "/github" - 1,
	    request->path.len), cdn = STR("/_cdn/"), ghes = STR("/api/v3");
	struct hub_request ask = {
		.method = request->method, .query = request->query,
		.authorization = request->authorization,
		.user_agent = headers->user_agent,
		.api_version = headers->api_version,
		.if_none_match = headers->if_none_match,
		.body = request->body,
	};
	bool enterprise = str_starts(path, STR("/api/v3/"));

	*reply = (struct model_reply){0};
	if (str_starts(path, cdn)) {
		serve_file(sim, arena, request, str_sub(path, cdn.len,
		    path.len), reply);
		return;
	}
	if (str_starts(path, STR("/actions/runner/releases/download/"))) {
		redirect(arena, headers->host, path, reply);
		return;
	}
	ask.path = enterprise ? str_sub(path, ghes.len, path.len) : path;
	ask.base = arena_printf(arena, "http://" STR_FMT "/github%s",
	    STR_ARG(headers->host), enterprise ? "/api/v3" : "");
	hub_http(sim->hub, sim_now(sim), arena, &ask, reply);
}
