/*
 * session_ask.c - reads of the cloud, several at once, with retries.
 *
 * A listing counts only when all of its pages came; a pod that the record
 * knows and the listing lacks is asked for by its id before anybody believes
 * that it is gone.
 */
#include "run/session.h"

#include "base/map.h"
#include "base/probe.h"
#include "base/units.h"
#include "run/pages.h"
#include "run/questions.h"

#include <string.h>

enum { READ_TIMEOUT_MS = 30 * SECOND_MS, READ_TRIES = 4 };

/* A question to the cloud. */
struct ask {
	struct question question;
	struct cloud_request request;
	struct cloud_answer answer;
	struct pages pages;
};

static void
send_ask(struct session *session, void *asked)
{
	struct ask *ask = asked;
	struct http_request http = {0};

	session->config.cloud->encode(session->arena, &ask->request, &http);
	http.timeout_ms = READ_TIMEOUT_MS;
	question_send(session, &ask->question, &http);
}

static bool
wants_retry(const struct cloud_answer *answer)
{
	return answer->outcome == OUTCOME_UNKNOWN ||
	    answer->outcome == OUTCOME_NOT_SENT ||
	    answer->reason == REASON_RATE_LIMITED;
}

static void
take_answer(struct session *session, void *asked,
    const struct http_answer *http)
{
	struct ask *ask = asked;
	struct question *question = &ask->question;
	const struct clock *clock = &session->config.world->clock;
	struct cloud_answer answer;

	ask->pages.arena = session->arena;
	bool complete = pages_take(&ask->pages, session->config.cloud,
	    session->arena, &ask->request, http, clock->wall_ms(clock->ctx),
	    &answer);
	ask->request.cursor = ask->pages.cursor;
	if (!complete) {		/* tries are of the whole listing */
		send_ask(session, ask);
		return;
	}
	if (answer.reason == REASON_RATE_LIMITED)
		session->cloud_not_before_ms = session_mono(session) +
		    answer.retry_after_ms;
	if (wants_retry(&answer) && ++question->tries < READ_TRIES) {
		PROBE("read_is_tried_again");
		question_again(session, question, (int64_t)SECOND_MS <<
		    (question->tries - 1), answer.retry_after_ms);
		return;
	}
	/* Whatever was sent once may come back in the words of an error. */
	answer.message = session_hide(session, answer.message);
	ask->answer = answer;
	question->done = true;
}

static void
interrupt(void *asked)
{
	struct ask *ask = asked;

	ask->answer = (struct cloud_answer){
		.outcome = OUTCOME_UNKNOWN,
		.reason = REASON_TRANSIENT,
		.message = STR("interrupted"),
	};
}

static const struct question_kind of_cloud = {
	.size = sizeof(struct ask), .send = send_ask, .take = take_answer,
	.interrupt = interrupt,
};

static void
ask_all(struct session *session, struct ask *asks, size_t n)
{
	/* Who gave up on an answer was told to wait all the same. */
	for (size_t i = 0; i < n; i++)
		asks[i].question.not_before_ms = session->cloud_not_before_ms;
	questions_ask(session, &of_cloud, asks, n);
}

static int
exit_of(struct session *session, const struct cloud_answer *answer,
    enum cloud_op op)
{
	if (session->interrupted > 0)
		return session_signal_code(session);
	diag_error(session->diags, "PF0501", NO_SPAN,
	    "cannot %s: " STR_FMT, cloud_op_words(op),
	    STR_ARG(answer->message));
	if (answer->reason == REASON_AUTH ||
	    answer->reason == REASON_FORBIDDEN) {
		diag_hint(session->diags, "check the API key: podform doctor "
		    "says where it comes from");
		return EXIT_AUTH;
	}
	if (answer->reason == REASON_BALANCE)
		return EXIT_BALANCE;
	return EXIT_ERROR;
}

int
session_ask(struct session *session, const struct cloud_request *request,
    struct cloud_answer *answer)
{
	struct ask ask = { .request = *request };
	ask_all(session, &ask, 1);
	*answer = ask.answer;
	if (answer->outcome == OUTCOME_OK ||
	    answer->reason == REASON_NOT_FOUND)
		return EXIT_OK;
	return exit_of(session, answer, request->op);
}

/* ------------------------------------------------------------ refreshing */

/* What the record knows and a listing lacks, of one kind. */
struct missing {
	enum kind kind;
	struct map listed;
	struct ask *asks;
	size_t n;
};

static bool
is_missing(const struct missing *missing, const struct lock_entry *entry)
{
	return entry->kind == missing->kind && entry->id.len > 0 &&
	    map_get(&missing->listed, entry->id) == NULL;
}

static void
find_missing(const struct session *session, struct arena *scratch,
    struct missing *missing)
{
	const struct live *live = &session->live;
	const struct lock *lock = session->lock;
	size_t n = 0;
	if (missing->kind == KIND_POD)
		for (size_t i = 0; i < live->npods; i++)
			map_put(&missing->listed, scratch, live->pods[i].id,
			    &live->pods[i]);
	else
		for (size_t i = 0; i < live->nvolumes; i++)
			map_put(&missing->listed, scratch,
			    live->volumes[i].id, &live->volumes[i]);
	for (size_t i = 0; i < lock->entries.n; i++)
		n += is_missing(missing, &lock->entries.items[i]);
	if (n == 0)
		return;
	missing->asks = ARENA_ARRAY(scratch, struct ask, n);
	for (size_t i = 0; i < lock->entries.n; i++)
		if (is_missing(missing, &lock->entries.items[i]))
			missing->asks[missing->n++].request =
			    (struct cloud_request){
				.op = missing->kind == KIND_POD
				    ? CLOUD_GET_POD
				    : CLOUD_GET_VOLUME,
				.id = lock->entries.items[i].id,
			    };
}

/* The same array with room for n more. */
static void *
with_room(struct arena *arena, const void *old, size_t nold, size_t n,
    size_t size)
{
	char *roomy = arena_array(arena, nold + n, size);
	if (nold > 0)
		memcpy(roomy, old, nold * size);
	return roomy;
}

/*
 * Ask one by one for what the record knows and the listing lacks: a
 * shrunken listing must not look like a lost fleet.  404 leaves it out.
 */
static int
ask_for_missing(struct session *session, enum kind kind)
{
	struct live *live = &session->live;
	struct missing missing = { .kind = kind };
	struct arena scratch = {0};
	int code = EXIT_OK;

	find_missing(session, &scratch, &missing);
	if (missing.n > 0)
		ask_all(session, missing.asks, missing.n);
	/* Room for what turns out to be there. */
	if (missing.n > 0 && kind == KIND_POD)
		live->pods = with_room(session->arena, live->pods,
		    live->npods, missing.n, sizeof *live->pods);
	else if (missing.n > 0)
		live->volumes = with_room(session->arena, live->volumes,
		    live->nvolumes, missing.n, sizeof *live->volumes);
	for (size_t i = 0; i < missing.n && code == EXIT_OK; i++) {
		const struct cloud_answer *answer = &missing.asks[i].answer;
		if (answer->outcome != OUTCOME_OK) {
			if (answer->reason != REASON_NOT_FOUND)
				code = exit_of(session, answer,
				    missing.asks[i].request.op);
		} else if (kind == KIND_POD && answer->npods == 1) {
			PROBE("listing_lacked_a_pod");
			live->pods[live->npods++] = answer->pods[0];
		} else if (kind == KIND_VOLUME && answer->nvolumes == 1) {
			PROBE("listing_lacked_a_volume");
			live->volumes[live->nvolumes++] = answer->volumes[0];
		}
	}
	arena_release(&scratch);
	return code;
}

int
session_refresh(struct session *session, bool volumes)
{
	const struct clock *clock = &session->config.world->clock;
	struct ask asks[2] = {
		{ .request = { .op = CLOUD_LIST_PODS } },
		{ .request = { .op = CLOUD_LIST_VOLUMES } },
	};
	size_t n = volumes ? 2 : 1;
	ask_all(session, asks, n);
	for (size_t i = 0; i < n; i++)
		if (asks[i].answer.outcome != OUTCOME_OK)
			return exit_of(session, &asks[i].answer,
			    asks[i].request.op);
	struct live *live = &session->live;
	live->pods = asks[0].answer.pods;
	live->npods = asks[0].answer.npods;
	live->pods_known = true;
	live->from_lock = false;
	if (volumes) {
		live->volumes = asks[1].answer.volumes;
		live->nvolumes = asks[1].answer.nvolumes;
		live->volumes_known = true;
	}
	live->wall_ms = clock->wall_ms(clock->ctx);
	session->have_live = true;
	int code = ask_for_missing(session, KIND_POD);
	if (code == EXIT_OK && volumes)
		code = ask_for_missing(session, KIND_VOLUME);
	if (code == EXIT_OK)
		code = session_refresh_github(session);
	return code;
}

/* What a first plan found missing: catalog, data centers, account. */
int
session_fetch_for(struct session *session, const struct plan *plan,
    bool account)
{
	struct live *live = &session->live;
	struct ask asks[4] = {0};
	size_t n = 0;
	int code = EXIT_OK;
	bool catalog = plan->needs_catalog && !live->catalog_known;
	if (catalog) {
		asks[n++].request.op = CLOUD_LIST_GPUS;
		asks[n++].request.op = CLOUD_LIST_DATA_CENTERS;
	}
	if (plan->needs_volumes && !live->volumes_known)
		asks[n++].request.op = CLOUD_LIST_VOLUMES;
	if ((plan->needs_account || account) && !live->account_known)
		asks[n++].request.op = CLOUD_GET_ACCOUNT;
	if (n == 0)
		return EXIT_OK;
	ask_all(session, asks, n);
	for (size_t i = 0; i < n; i++) {
		const struct cloud_answer *answer = &asks[i].answer;
		enum cloud_op op = asks[i].request.op;
		if (answer->outcome != OUTCOME_OK) {
			/* The balance is a courtesy (GraphQL retires). */
			if (op == CLOUD_GET_ACCOUNT &&
			    session->interrupted == 0)
				continue;
			return exit_of(session, answer, op);
		}
		switch (op) {
		case CLOUD_LIST_GPUS:
			live->gpus = answer->gpus;
			live->ngpus = answer->ngpus;
			live->catalog_known = true;
			break;
		case CLOUD_LIST_DATA_CENTERS:
			live->data_centers = answer->data_centers;
			live->ndata_centers = answer->ndata_centers;
			break;
		case CLOUD_LIST_VOLUMES:
			live->volumes = answer->volumes;
			live->nvolumes = answer->nvolumes;
			live->volumes_known = true;
			code = ask_for_missing(session, KIND_VOLUME);
			break;
		default:
			live->account = answer->account;
			live->account_known = true;
			break;
		}
	}
	return code;
}
