/* guest_spec.c - what the spec says of guests, drawn from the seed. */
#include "faults.h"

#include <string.h>

const char *const guest_pods[] = { "a", "b", "c", "d" };

enum { FIRST_PORT = 8100 };

/* ------------------------------------------------------------ beginning -- */

static void
draw_hub_faults(struct sim *sim)
{
	static const enum hub_fault kinds[] = {
		HUB_ERROR_BEFORE, HUB_ERROR_AFTER, HUB_BODY,
		HUB_RATE_LIMITED, HUB_SECONDARY, HUB_EXHAUSTED,
		HUB_DROP_BEFORE, HUB_SLOW, HUB_NOT_FOUND, HUB_OMITTED,
		HUB_LISTED_TWICE, HUB_ODD, HUB_REMOVED, HUB_EXPIRED,
		HUB_FORBIDDEN,
	};
	static const struct {
		enum hub_fault fault;
		unsigned drawn;		/* per mille of stories */
	} seldom[] = {
		{ HUB_BUSY_LIE, 250 }, { HUB_BUSY_FALSE, 250 },
		{ HUB_OFFLINE_LIE, 150 }, { HUB_STALE_304, 250 },
		{ HUB_EVICTED, 250 }, { HUB_CONFLICT, 150 },
		/* It lasts until calm. */
		{ HUB_DEPRECATED, 90 },
	};
	struct guests *guests = sim->guests;
	struct hub_faults faults = {0};

	for (size_t k = 0; k < COUNTOF(kinds); k++) {
		if (!rng_chance(&guests->rng, 250))
			continue;
		unsigned often = (unsigned)rng_range(&guests->rng, 20, 150);
		for (int call = 0; call < HUB_CALL_COUNT; call++)
			if (rng_chance(&guests->rng, 700))
				faults.per_mille[call][kinds[k]] =
				    (uint16_t)often;
	}
	/* What is met seldom has to strike when it is: a listing while a job
	 * runs, a listener that connects. */
	for (size_t k = 0; k < COUNTOF(seldom); k++) {
		if (!rng_chance(&guests->rng, seldom[k].drawn))
			continue;
		unsigned often = (unsigned)rng_range(&guests->rng, 150, 600);
		for (int call = 0; call < HUB_CALL_COUNT; call++)
			faults.per_mille[call][seldom[k].fault] =
			    (uint16_t)often;
	}
	/* That is what busy runners are about. */
	if (rng_chance(&guests->rng, 600))
		faults.per_mille[HUB_DELETE][HUB_JOB_FIRST] =
		    (uint16_t)rng_range(&guests->rng, 500, 950);
	faults.echoes = rng_chance(&guests->rng, 150);
	fault_mask_hub(sim, &faults);
	hub_set_faults(guests->hub, &faults);
}

/* Other people's runners, one of them of another podform project. */
static void
add_strangers(struct sim *sim)
{
	static const char *const names[] = { "theirs",
		"ra-pf000000aaaaaaaaaa" };
	struct arena arena = {0};

	for (size_t i = 0; i < COUNTOF(names); i++) {
		struct model_reply reply = {0};
		struct hub_request request = {
			.method = STR("POST"),
			.path = STR("/repos/acme/model/actions/runners/"
			    "generate-jitconfig"),
			.authorization = arena_printf(&arena, "Bearer %s",
			    sim->github_token),
			.user_agent = STR("people"),
			.body = arena_printf(&arena, "{\"name\":\"%s\","
			    "\"runner_group_id\":1,\"labels\":[\"x\"]}",
			    names[i]),
		};
		hub_http(sim->guests->hub, EPOCH_MS, &arena, &request,
		    &reply);
	}
	arena_release(&arena);
}

void
guest_begin(struct sim *sim, bool quiet)
{
	struct guests *guests = sim->guests;

	guests->any = true;
	guests->log_shows_keys = rng_chance(&guests->rng, 800);
	add_strangers(sim);
	if (quiet)
		return;
	for (int i = 0; i < GUEST_FAULT_COUNT; i++)
		if (rng_chance(&guests->rng, 250))
			guests->per_mille[i] = (uint16_t)rng_range(
			    &guests->rng, 10,
			    rng_chance(&guests->rng, 150) ? 400 : 100);
	guests->per_mille[GUEST_DONE] = 0;
	/* What is asked seldom has to go wrong often. */
	guests->per_mille[GUEST_TOKEN] *= 9;
	guests->per_mille[GUEST_NO_FETCH] *= 4;
	draw_hub_faults(sim);
	guests->next_people_ms = rng_range(&guests->rng, 0, 40000);
	if (rng_chance(&guests->rng, 700))
		guests->next_job_ms = rng_range(&guests->rng, 0, 120000);
}

/* ------------------------------------------------------------- invention -- */

void
guest_invent(struct sim *sim, struct tale_guest *guest)
{
	struct rng *rng = &sim->guests->rng;

	*guest = (struct tale_guest){0};
	if (!sim->guests->any || rng_chance(rng, 300))
		return;
	guest->checks = (unsigned)rng_below(rng, 3);
	guest->nsteps = (unsigned)rng_below(rng, 4);
	guest->process = (unsigned)rng_below(rng, 3);
	guest->copies = rng_chance(rng, 300);
	guest->backup = rng_chance(rng, 400);
	guest->on_failure = (unsigned)rng_below(rng, 4);
	guest->stopped = rng_chance(rng, 60);
	guest->runner = rng_chance(rng, 450)
	    ? (unsigned)rng_range(rng, 1, 2)
	    : 0;
	guest->organization = rng_chance(rng, 200);
	guest->tunnel = rng_chance(rng, 450);
	guest->check = rng_chance(rng, 300);
	guest->dynamic = rng_chance(rng, 200);
	guest->reverse = rng_chance(&sim->more, 250);
}

void
guest_edit(struct sim *sim, struct tale_guest *guest)
{
	struct rng *rng = &sim->guests->rng;

	if (!sim->guests->any)
		return;
	/* Another label is another runner: the one before is removed. */
	if (guest->runner > 0 && rng_chance(rng, 500)) {
		guest->label++;
		return;
	}
	switch (rng_below(rng, 11)) {
	case 0:
		guest->nsteps = (unsigned)rng_below(rng, 4);
		break;
	case 1:
		guest->steps[rng_below(rng, STEPS)]++;
		break;
	case 2:
		guest->process++;
		break;
	case 3:
		guest->process = 0;
		break;
	case 4:
		guest->runner = (unsigned)rng_below(rng, 3);
		break;
	case 5:
		guest->label++;
		break;
	case 6:
		guest->tunnel = !guest->tunnel;
		break;
	case 7:
		guest->remote++;
		break;
	case 8:
	case 9:
		guest->stopped = !guest->stopped;
		break;
	default:
		guest->checks = (unsigned)rng_below(rng, 3);
		break;
	}
}

/* --------------------------------------------------------------- writing -- */

static void
pod_address(char *out, size_t size, unsigned number, unsigned key)
{
	if (key == 0)
		snprintf(out, size, "pod.%s", guest_pods[number]);
	else
		snprintf(out, size, "pod.%s[%u]", guest_pods[number], key);
}

static void
want_inside(struct wants *wants, unsigned number, unsigned replicas,
    const struct wanted_inside *inside)
{
	for (unsigned k = 0; k < replicas; k++) {
		struct wanted_inside *one = &wants->inside[wants->ninside++];
		*one = *inside;
		pod_address(one->address, sizeof one->address, number, k);
	}
}

static const char *const on_failures[] = {
	[1] = "terminate", [2] = "stop", [3] = "keep",
};

static void
write_steps(struct sim *sim, struct strbuf *out, unsigned number,
    const struct tale_guest *guest, struct wanted_inside *inside)
{
	char text[64];

	strbuf_adds(out, "    setup:\n");
	for (unsigned i = 0; i < guest->nsteps; i++) {
		bool copies = guest->copies && i == 0;
		snprintf(text, sizeof text, copies ? "/srv/%s-%u-v%u"
						   : "echo %s step %u v%u",
		    guest_pods[number], i, guest->steps[i]);
		if (copies)
			strbuf_addf(out, "      - copy: { from: data.txt, "
			    "to: %s }\n", text);
		else
			strbuf_addf(out, "      - run: %s\n", text);
		inside->steps[inside->nsteps++] = step_digest(str_from(text));
	}
	(void)sim;
}

void
guest_write_pod(struct sim *sim, struct strbuf *out, unsigned number,
    unsigned replicas, const struct tale_guest *guest)
{
	struct wanted_inside inside = { .checks = guest->checks > 0 };
	char text[64];

	if (!sim->guests->any)
		return;
	if (guest->checks > 0) {
		strbuf_adds(out, "    ready: { timeout: 5m, checks: [");
		for (unsigned i = 0; i < guest->checks; i++)
			strbuf_addf(out, "%stest -e /c%u", i > 0 ? ", " : "",
			    i);
		strbuf_adds(out, "] }\n");
	}
	if (guest->nsteps > 0)
		write_steps(sim, out, number, guest, &inside);
	if (guest->process > 0) {
		snprintf(text, sizeof text, "serve %s v%u",
		    guest_pods[number], guest->process);
		strbuf_addf(out, "    process: { run: %s }\n", text);
		inside.process = step_digest(str_from(text));
	}
	if (guest->backup)
		strbuf_adds(out, "    backup: { check: test -e /saved }\n");
	if (guest->on_failure > 0)
		strbuf_addf(out, "    on_failure: %s\n",
		    on_failures[guest->on_failure]);
	if (guest->stopped)
		strbuf_adds(out, "    state: stopped\n");
	else
		want_inside(&sim->guests->wants, number, replicas, &inside);
}

static void
write_runner(struct wants *wants, struct strbuf *out, unsigned number,
    unsigned replicas, const struct tale_guest *guest)
{
	const char *pod = guest_pods[number];

	strbuf_addf(out, "  r%s: { pod: %s, %s, labels: [gpu, l%u], "
	    "ephemeral: %s }\n", pod, pod, guest->organization
		? "organization: acme"
		: "repository: acme/model", guest->label,
	    guest->runner == 1 ? "true" : "false");
	for (unsigned k = 0; k < replicas && !guest->stopped; k++) {
		struct wanted_runner *one =
		    &wants->runners[wants->nrunners++];
		snprintf(one->base, sizeof one->base, "r%s", pod);
		one->organization = guest->organization;
		pod_address(one->pod, sizeof one->pod, number, k);
	}
}

static void
write_tunnel(struct wants *wants, struct strbuf *out, unsigned number,
    unsigned replicas, const struct tale_guest *guest)
{
	struct wanted_tunnel *one = &wants->tunnels[wants->ntunnels];
	unsigned key = replicas > 1 ? replicas - 1 : 0;

	wants->ntunnels += !guest->stopped;
	one->port = (uint16_t)(FIRST_PORT + number);
	snprintf(one->address, sizeof one->address, "tunnel.t%s",
	    guest_pods[number]);
	pod_address(one->pod, sizeof one->pod, number, key);
	strbuf_addf(out, "  t%s:\n    pod: %s", guest_pods[number],
	    guest_pods[number]);
	if (replicas > 1)
		strbuf_addf(out, "[%u]", key);
	strbuf_addf(out, "\n    local: %u\n", one->port);
	one->reverse = guest->reverse;
	if (guest->reverse)
		strbuf_addf(out, "    direction: remote\n    remote: %u\n",
		    9000 + guest->remote);
	else if (guest->dynamic)
		strbuf_adds(out, "    direction: dynamic\n");
	else
		strbuf_addf(out, "    remote: %u\n", 9000 + guest->remote);
	if (guest->check && !guest->dynamic && !guest->reverse)
		strbuf_addf(out, "    check: http://127.0.0.1:%u/\n",
		    one->port);
}

void
guest_write_rest(struct sim *sim, struct strbuf *out,
    const struct tale_guest *guests, const unsigned *replicas, size_t n)
{
	struct wants *wants = &sim->guests->wants;
	bool runners = false, tunnels = false;

	for (unsigned i = 0; i < n; i++) {
		if (replicas[i] == 0 || guests[i].runner == 0)
			continue;
		strbuf_adds(out, runners ? "" : "runners:\n");
		runners = true;
		write_runner(wants, out, i, replicas[i], &guests[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		if (replicas[i] == 0 || !guests[i].tunnel)
			continue;
		strbuf_adds(out, tunnels ? "" : "tunnels:\n");
		tunnels = true;
		write_tunnel(wants, out, i, replicas[i], &guests[i]);
	}
}
