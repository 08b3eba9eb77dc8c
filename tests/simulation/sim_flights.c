/* sim_flights.c - requests on their way to the cloud, and answers back */
#include "sim_parts.h"
#include "stored.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------- network -- */

static char *
copy_bytes(struct str text)
{
	char *copy = malloc(text.len + 1);
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return copy;
}

struct sim_flight *
sim_flight_new(struct sim *sim, uint64_t token, enum flight_state state,
    int64_t after_ms)
{
	for (size_t i = 0; i < FLIGHTS; i++) {
		struct sim_flight *flight = &sim->flights[i];
		if (flight->state != FLIGHT_NONE)
			continue;
		if (i >= sim->nflights)
			sim->nflights = i + 1;
		*flight = (struct sim_flight){
			.state = state, .token = token,
			.process = sim->process,
			.number = ++sim->flight_number,
			.at_ms = sim->now_ms + after_ms,
		};
		return flight;
	}
	assert(false && "too many requests in flight");
	return NULL;
}

void
sim_flight_end(struct sim_flight *flight)
{
	free(flight->path);
	free(flight->body);
	free(flight->answer_body);
	free((char *)flight->host.data);
	inside_task_free(flight->task);
	arena_release(&flight->arena);
	*flight = (struct sim_flight){0};
}

void
sim_flight_request(struct sim_flight *flight,
    const struct http_request *request)
{
	const char *base = request->host == HOST_CLOUD ? "/v2" : "";
	flight->method = request->method;
	flight->path = malloc(request->path.len + 16);
	if (request->host == HOST_CLOUD_GRAPHQL)
		memcpy(flight->path, "/graphql", sizeof "/graphql");
	else
		snprintf(flight->path, request->path.len + 16, "%s%.*s", base,
		    (int)request->path.len, request->path.data);
	flight->github = request->host == HOST_GITHUB;
	if (request->bearer.len > 0)
		flight->bearer = arena_cstr(&flight->arena, request->bearer);
	flight->stored = request->host == HOST_STORE;
	if (request->if_match.len > 0)
		flight->if_match = arena_cstr(&flight->arena,
		    request->if_match);
	if (request->etag.len > 0)
		flight->etag = arena_cstr(&flight->arena, request->etag);
	flight->body = copy_bytes(request->body);
	flight->body_len = request->body.len;
	flight->max_body = request->max_body;
}

void
sim_start_http(void *ctx, uint64_t token, const struct http_request *request)
{
	struct sim *sim = ctx;
	sim_step(sim, "send");
	struct sim_flight *flight = sim_flight_new(sim, token, FLIGHT_OUT,
	    rng_range(&sim->rng, 1, 40));
	sim_flight_request(flight, request);
	flight->gives_up_ms = sim->now_ms + request->timeout_ms;
	if (request->effect) {
		check_one_writer(sim, flight->path);
		hardware_check_send(sim, flight->path, flight->github);
	}
	if (!flight->stored)
		check_request(sim, flight);
}

void
sim_start_banner(void *ctx, uint64_t token, struct str host, uint16_t port,
    int64_t timeout_ms)
{
	struct sim *sim = ctx;
	(void)timeout_ms;
	sim_step(sim, "connect");
	struct sim_flight *flight = sim_flight_new(sim, token, FLIGHT_BANNER,
	    rng_range(&sim->rng, 1, 80));
	flight->host = (struct str){ copy_bytes(host), host.len };
	flight->port = port;
}

bool
sim_is_mine(const struct sim *sim, const struct sim_flight *flight)
{
	return flight->state != FLIGHT_NONE && !flight->holds &&
	    flight->process == sim->process;
}

void
sim_abandon(struct sim *sim, struct sim_flight *flight)
{
	if (flight->talks && !flight->abandoned)
		hold_hang_up(sim, flight->number);
	flight->abandoned = true;
}

void
sim_cancel(void *ctx, uint64_t token)
{
	struct sim *sim = ctx;
	for (size_t i = 0; i < sim->nflights; i++)
		if (sim_is_mine(sim, &sim->flights[i]) &&
		    sim->flights[i].token == token)
			sim_abandon(sim, &sim->flights[i]);
}

static struct str
find_header(const struct model_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->nheaders; i++)
		if (strcasecmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return (struct str){0};
}

/* What the network's edge keeps of an answer. */
static void
keep_headers(struct sim_flight *flight, const struct model_reply *reply)
{
	static const struct {
		const char *name;
		size_t offset;
	} kept[] = {
#define KEPT(name, member) { name, offsetof(struct http_answer, member) }
		KEPT("retry-after", retry_after),
		KEPT("ratelimit", ratelimit), KEPT("location", location),
		KEPT("link", link), KEPT("etag", etag),
		KEPT("x-accepted-github-permissions", permissions),
#undef KEPT
	};
	struct http_answer *answer = &flight->answer;
	for (size_t i = 0; i < COUNTOF(kept); i++) {
		struct str value = find_header(reply, kept[i].name);
		if (value.data != NULL)
			*(struct str *)((char *)answer + kept[i].offset) =
			    arena_str(&flight->arena, value);
	}
	struct str left = find_header(reply, "x-ratelimit-remaining");
	if (left.data != NULL)
		answer->github_limit = arena_printf(&flight->arena,
		    STR_FMT "/" STR_FMT, STR_ARG(left),
		    STR_ARG(find_header(reply, "x-ratelimit-reset")));
}

static void
turn_back(struct sim *sim, struct sim_flight *flight,
    const struct model_reply *reply)
{
	struct http_answer *answer = &flight->answer;
	flight->state = FLIGHT_BACK;
	flight->at_ms = sim->now_ms + reply->delay_ms +
	    rng_range(&sim->rng, 1, 40);
	answer->outcome = HTTP_ANSWERED;
	answer->status = reply->status;
	flight->answer_body = copy_bytes(reply->body);
	answer->body = (struct str){ flight->answer_body, reply->body.len };
	keep_headers(flight, reply);
	if (reply->transport == MODEL_CUT && rng_chance(&sim->rng, 500)) {
		/* No length was promised, so nobody notices but the reader. */
		answer->body.len = reply->cut < reply->body.len
		    ? reply->cut
		    : reply->body.len;
	} else if (reply->transport != MODEL_ANSWERED) {
		answer->outcome = HTTP_BROKEN;
		answer->reason = STR("connection closed");
	} else if (flight->max_body > 0 &&
	    reply->body.len > flight->max_body) {
		answer->outcome = HTTP_TOO_LARGE;
		answer->reason = STR("answer too large");
	}
	if (reply->transport == MODEL_SILENT ||
	    flight->at_ms > flight->gives_up_ms) {
		answer->outcome = HTTP_BROKEN;
		answer->reason = STR("timed out");
		flight->at_ms = flight->gives_up_ms > sim->now_ms
		    ? flight->gives_up_ms
		    : sim->now_ms;
	}
	if (answer->outcome != HTTP_ANSWERED)
		answer->body = (struct str){0};
	if (flight->github)
		sinks_github_gave(sim, reply->body);
	if (!flight->stored)
		promises_told(sim, flight);
}

/* F03, where it counts: three of a kind would settle a doubt, so now and then
 * more than that come in a row. */
static bool
cut_listing(struct sim *sim, const struct sim_flight *flight)
{
	static const char *const cut[] = { "{\"pods\":[", "{\"pods\":[{",
		"{" };

	if (sim->cuts_per_mille == 0 || sim->calm || flight->holds ||
	    flight->method != HTTP_GET ||
	    strcmp(flight->path, "/v2/pods") != 0 || !check_has_unknown(sim))
		return false;
	if (sim->cuts_in_row >= CUTS_IN_ROW ||
	    !rng_chance(&sim->more, sim->cuts_per_mille) ||
	    !own_strikes(sim, OWN_CUT_LIST)) {
		sim->cuts_in_row = 0;
		return false;
	}
	sim->cuts_in_row++;
	model_add_script(sim->model, &(struct model_script){
		.call = MODEL_POD_LIST, .nth = 1, .fault = MODEL_FAULT_COUNT,
		.body = str_from(cut[rng_below(&sim->more, COUNTOF(cut))]),
	});
	return true;
}

static void
ask_cloud(struct sim *sim, const struct sim_flight *flight,
    struct arena *arena, struct model_reply *reply)
{
	struct str query, path = str_cut(str_from(flight->path), '?', &query);
	bool cut = cut_listing(sim, flight);
	char key[80];
	snprintf(key, sizeof key, "Bearer %s", sim->cloud_key);
	struct model_request request = {
		.method = str_from(http_method_name(flight->method)),
		.path = path,
		.query = query,
		.authorization = str_from(key),
		.body = { flight->body, flight->body_len },
	};
	model_http(sim->model, EPOCH_MS + sim->now_ms, arena, &request,
	    reply);
	if (flight->method == HTTP_GET && !flight->holds &&
	    strcmp(flight->path, "/v2/pods") == 0 &&
	    (cut || (reply->faults & UINT64_C(1) << MODEL_BODY) != 0))
		check_damaged(sim);
	sim_trace(sim, "%s %s -> %d%s%s %.*s",
	    http_method_name(flight->method),
	    flight->path, reply->status,
	    cut || reply->faults != 0 ? " (fault)" : "",
	    reply->transport != MODEL_ANSWERED ? " (lost)" : "",
	    reply->body.len > 60 && flight->method == HTTP_GET
		? 0
		: (int)(reply->body.len < 120 ? reply->body.len : 120),
	    reply->body.data != NULL ? reply->body.data : "");
	if (reply->changed)
		sim->mutations++;
}

void
sim_arrive(struct sim *sim, struct sim_flight *flight)
{
	struct arena scratch = {0};
	struct model_reply reply = {0};
	if (flight->task != NULL)
		inside_arrive(sim, flight);
	else if (flight->talks)
		hold_arrive(sim, flight);
	else if (flight->github)
		hub_arrive(sim, flight, &scratch, &reply);
	else if (flight->stored)
		stored_arrive(sim, flight, &scratch, &reply);
	else
		ask_cloud(sim, flight, &scratch, &reply);
	if (flight->task == NULL && !flight->talks)
		turn_back(sim, flight, &reply);
	sim->direct = reply.changed && !flight->github;
	sim->own = sim->running && flight->process == sim->process &&
	    !flight->abandoned && !flight->holds &&
	    flight->number > sim->before;
	sim->of_before |= reply.changed && !sim->own;
	guests_turn(sim);
	check_cloud(sim);
	sim->direct = false;
	arena_release(&scratch);
	if (flight->abandoned && flight->state != FLIGHT_NONE)
		sim_flight_end(flight);
}
