/*
 * listing.c - one listing per tick serves every act that waits.
 *
 * The tick follows what is waited for: a twentieth of the time that the
 * youngest wait has lasted, so that what takes two seconds is seen within an
 * eighth and what takes minutes costs few requests; never more than twenty
 * listings and two per second in all, and never more than half of what the
 * service's rate limit leaves.
 */
#include "run/act.h"

#include "base/units.h"

/* Of the twenty, those before the run take four (pods, GPUs, data centers,
 * account). */
enum { BURST = 16, SLOW_MS = 500, POLL_MIN_MS = 125,
	POLL_MAX_MS = 10 * SECOND_MS };

int
act_list(const struct act *act)
{
	return act->change->kind == KIND_VOLUME ? LIST_VOLUMES : LIST_PODS;
}

static int64_t
youngest_wait(const struct run *run, int which)
{
	int64_t youngest = INT64_MAX;
	for (size_t i = 0; i < run->watching.n; i++) {
		const struct act *act = run->watching.items[i];
		/* In PH_CHECK it asks about its own, and will wait again. */
		if ((act->phase != PH_WATCH && act->phase != PH_RESOLVE &&
			act->phase != PH_CHECK) ||
		    act_list(act) != which)
			continue;
		int64_t age = run->now_ms - act->wait_ms;
		if (age < youngest)
			youngest = age;
	}
	return youngest == INT64_MAX ? 0 : youngest;
}

static int64_t
interval(const struct run *run, int which)
{
	const struct listing_state *list = &run->lists[which];
	int64_t ms = youngest_wait(run, which) / 20;
	if (ms < POLL_MIN_MS)
		ms = POLL_MIN_MS;
	if (ms > POLL_MAX_MS)
		ms = POLL_MAX_MS;
	/* What is left of the burst is spread, so that its end is no cliff. */
	int64_t left = BURST + (run->now_ms - run->began_ms) / SLOW_MS -
	    (int64_t)run->listings;
	int64_t pace = SLOW_MS / ((left > 0 ? left : 0) + 1);
	if (ms < pace)
		ms = pace;
	/* A big account must not be asked faster than it can answer. */
	if (ms < 2 * list->took_ms)
		ms = 2 * list->took_ms;
	if (ms < run->quota_interval_ms)
		ms = run->quota_interval_ms;
	return ms;
}

/* Forget the acts that no longer wait. */
static void
compact(struct run *run)
{
	size_t kept = 0;
	for (size_t i = 0; i < run->watching.n; i++) {
		struct act *act = run->watching.items[i];
		if (act->phase == PH_WATCH || act->phase == PH_RESOLVE)
			run->watching.items[kept++] = act;
		else
			act->listed = false;
	}
	run->watching.n = kept;
}

void
listing_pump(struct run *run)
{
	compact(run);
	for (int i = 0; i < LIST_COUNT; i++) {
		struct listing_state *list = &run->lists[i];
		if (list->watchers == 0 || list->in_flight ||
		    run->now_ms < list->next_ms)
			continue;
		list->in_flight = true;
		list->sent_ms = run->now_ms;
		list->token = (uint64_t)(i + 1) << 60 |
		    (++run->counter & 0xffffff);
		run->listings++;
		struct run_effect *effect = run_effect_add(run, RUN_REQUEST);
		effect->token = list->token;
		effect->timeout_ms = 30 * SECOND_MS;
		effect->request.op =
		    i == LIST_PODS ? CLOUD_LIST_PODS : CLOUD_LIST_VOLUMES;
	}
}

int64_t
listing_deadline(const struct run *run)
{
	int64_t first = -1;
	for (int i = 0; i < LIST_COUNT; i++) {
		const struct listing_state *list = &run->lists[i];
		if (list->watchers == 0 || list->in_flight)
			continue;
		if (first == -1 || list->next_ms < first)
			first = list->next_ms;
	}
	return first;
}

/*
 * The service may have carried out a create twice, or the network may have
 * sent it twice: of two pods with one op, the one we know is kept.
 */
static void
end_doubles(struct run *run, const struct cloud_answer *answer)
{
	if (run->made.n == 0 || run->stopping)
		return;
	for (size_t i = 0; i < answer->npods; i++) {
		const struct cloud_pod *pod = &answer->pods[i];
		struct mark mark;
		if (pod->status == POD_TERMINATED ||
		    !mark_parse_env(pod->mark, &mark))
			continue;
		struct act *made = map_get(&run->made, mark.op);
		if (made == NULL || str_eq(made->id, pod->id) ||
		    map_get(&run->doubles, pod->id) != NULL ||
		    mark_owner(pod->config.name, pod->mark, true,
			&run->options.lineage) != MARK_OURS)
			continue;
		undo_double(run, made, pod);
	}
}

/* The key was taken away: nothing can be seen or undone any more. */
static void
fail_watchers(struct run *run, int which, struct str why)
{
	for (size_t i = 0; i < run->watching.n; i++) {
		struct act *act = run->watching.items[i];
		if ((act->phase == PH_WATCH || act->phase == PH_RESOLVE) &&
		    act_list(act) == which)
			act_fail(run, act, FAIL_AUTH, why);
	}
}

void
listing_answer(struct run *run, int which, const struct cloud_answer *answer)
{
	struct listing_state *list = &run->lists[which];
	list->in_flight = false;
	list->took_ms = run->now_ms - list->sent_ms;
	if (answer->ratelimit_left >= 0) {
		int64_t half = answer->ratelimit_left / 2;
		run->quota_interval_ms = answer->ratelimit_reset_ms /
		    (half > 0 ? half : 1);
		if (run->quota_interval_ms > MINUTE_MS)
			run->quota_interval_ms = MINUTE_MS;
	}
	if (answer->outcome != OUTCOME_OK) {
		if (answer->reason == REASON_AUTH && ++list->refused >= 3) {
			fail_watchers(run, which, answer->message);
			return;
		}
		/* No picture is not an empty picture: ask again, later. */
		int64_t wait = answer->retry_after_ms;
		if (list->failures < 5)
			list->failures++;
		if (wait < (int64_t)SECOND_MS << list->failures)
			wait = (int64_t)SECOND_MS << list->failures;
		list->next_ms = run->now_ms + wait;
		return;
	}
	list->failures = list->refused = 0;
	struct arena scratch = {0};
	struct listed listed = { .answer = answer, .sent_ms = list->sent_ms };
	for (size_t i = 0; i < answer->npods; i++)
		map_put(&listed.pods, &scratch, answer->pods[i].id,
		    &answer->pods[i]);
	for (size_t i = 0; i < run->watching.n; i++) {
		struct act *act = run->watching.items[i];
		if ((act->phase == PH_WATCH || act->phase == PH_RESOLVE) &&
		    act_list(act) == which)
			action_rows[act->kind].listed(run, act, &listed);
	}
	if (which == LIST_PODS)
		end_doubles(run, answer);
	arena_release(&scratch);
	/* The pace is set from when it was asked, not answered. */
	list->next_ms = list->sent_ms + interval(run, which);
}
