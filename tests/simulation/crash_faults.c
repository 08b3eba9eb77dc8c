/* crash_faults.c - the errors that operations can give; see crash.h */
#include "crash.h"

#include "model/rest.h"

#include <errno.h>
#include <string.h>

#define K(kind) (1u << CALL_##kind)

enum {
	WRITERS = K(OPEN) | K(WRITE) | K(SYNC) | K(SYNC_DIR) | K(TRUNCATE) |
	    K(RENAME) | K(LINK) | K(MKDIR),
	FILES = WRITERS | K(LOOK) | K(UNLINK) | K(LOCK),
	READERS = K(READ) | K(LIST) | K(GET),
	CHANGERS = K(CREATE) | K(CHANGE) | K(DELETE),
	CLOUD = READERS | CHANGERS,
	HUB = K(HUB_READ) | K(HUB_WRITE),
};

#define DISK(text, kinds_, error_) \
	{ .name = text, .type = FAULT_DISK, .kinds = kinds_, .error = error_ }
#define BEFORE_(text, kinds_, status_) \
	{ .name = text, .type = FAULT_CLOUD, .kinds = kinds_, \
	  .fault = MODEL_ERROR_BEFORE, .status = status_ }
#define AFTER_(text, status_) \
	{ .name = text, .type = FAULT_CLOUD, .kinds = CHANGERS, \
	  .fault = MODEL_ERROR_AFTER, .status = status_ }
#define BODY(text, kinds_, body_) \
	{ .name = text, .type = FAULT_CLOUD, .kinds = kinds_, \
	  .fault = MODEL_BODY, .body = body_ }
#define ON_HUB(text, kinds_, fault_, status_) \
	{ .name = text, .type = FAULT_HUB, .kinds = kinds_, \
	  .fault = fault_, .status = status_ }
#define INSIDE(text, fault_) \
	{ .name = text, .type = FAULT_GUEST, .kinds = K(SSH), \
	  .fault = fault_ }

const struct crash_fault crash_faults[] = {
	/* F22, F23 */
	DISK("EIO", FILES, EIO),
	DISK("ENOSPC", WRITERS, ENOSPC),
	DISK("EACCES", K(OPEN) | K(LOOK), EACCES),
	DISK("EMFILE", K(OPEN), EMFILE),
	DISK("EPERM", K(LINK), EPERM),
	DISK("EINTR", K(WRITE) | K(SYNC) | K(SYNC_DIR), EINTR),
	{ .name = "short", .type = FAULT_SHORT, .kinds = K(WRITE) },
	{ .name = "full", .type = FAULT_FULL, .kinds = WRITERS,
	  .error = ENOSPC },
	{ .name = "EIO-for-good", .type = FAULT_FULL,
	  .kinds = K(WRITE) | K(SYNC) | K(SYNC_DIR) | K(RENAME),
	  .error = EIO },
	{ .name = "EIO-then-power-lost", .type = FAULT_DISK,
	  .kinds = K(SYNC) | K(SYNC_DIR) | K(RENAME) | K(TRUNCATE),
	  .error = EIO, .power_lost = true },

	/* F01: refused */
	BEFORE_("400", CHANGERS, 400),
	BEFORE_("401", CLOUD, 401),
	BEFORE_("402", K(CREATE) | K(CHANGE), 402),
	BEFORE_("403", CLOUD, 403),
	BEFORE_("404", CHANGERS, 404),
	BEFORE_("409", CHANGERS, 409),
	BEFORE_("422", CHANGERS, 422),
	BEFORE_("500", CLOUD, 500),
	BEFORE_("503", CLOUD, 503),
	{ .name = "dropped", .type = FAULT_CLOUD, .kinds = CLOUD,
	  .fault = MODEL_DROP_BEFORE },
	{ .name = "429", .type = FAULT_CLOUD, .kinds = CLOUD,
	  .fault = MODEL_RATE_LIMITED },
	{ .name = "no-stock", .type = FAULT_CLOUD, .kinds = K(CREATE),
	  .fault = MODEL_NO_STOCK },

	/* F02, F04: it happened, or will, and nobody says so */
	AFTER_("500-after", 500),
	AFTER_("502-after", 502),
	AFTER_("504-after", 504),
	{ .name = "dropped-after", .type = FAULT_CLOUD, .kinds = CHANGERS,
	  .fault = MODEL_ERROR_AFTER, .transport = MODEL_DROPPED },
	{ .name = "silent-after", .type = FAULT_CLOUD, .kinds = CLOUD,
	  .fault = MODEL_ERROR_AFTER, .transport = MODEL_SILENT },
	{ .name = "500-delayed", .type = FAULT_CLOUD, .kinds = CHANGERS,
	  .fault = MODEL_DELAYED, .status = 500, .delay_ms = 20000 },

	/* F03: success that cannot be read */
	{ .name = "cut", .type = FAULT_CLOUD, .kinds = CLOUD,
	  .fault = MODEL_BODY, .transport = MODEL_CUT },
	BODY("lost", CLOUD, ""),
	BODY("not-json", CLOUD, "<html>ok</html>"),
	BODY("half-json", CLOUD, "{\"pods\":["),
	BODY("wrong-type", CLOUD, "{\"id\":7,\"pods\":{},\"data\":[]}"),
	BODY("null", READERS, "null"),

	/* F05 to F08 */
	{ .name = "stale", .type = FAULT_CLOUD, .kinds = K(LIST) | K(GET),
	  .fault = MODEL_STALE, .delay_ms = 30000 },
	{ .name = "gone", .type = FAULT_CLOUD, .kinds = K(GET),
	  .fault = MODEL_GET_404 },
	{ .name = "shrunken", .type = FAULT_CLOUD, .kinds = K(LIST),
	  .fault = MODEL_SHRUNK },
	{ .name = "twice", .type = FAULT_CLOUD, .kinds = K(CREATE),
	  .fault = MODEL_TWICE },

	/* GitHub */
	ON_HUB("500", HUB, HUB_ERROR_BEFORE, 500),
	ON_HUB("503", HUB, HUB_ERROR_BEFORE, 503),
	ON_HUB("401", HUB, HUB_EXPIRED, 0),
	ON_HUB("403", HUB, HUB_FORBIDDEN, 0),
	ON_HUB("404", HUB, HUB_NOT_FOUND, 0),
	ON_HUB("429", HUB, HUB_RATE_LIMITED, 0),
	ON_HUB("secondary", HUB, HUB_SECONDARY, 0),
	ON_HUB("dropped", HUB, HUB_DROP_BEFORE, 0),
	ON_HUB("500-after", K(HUB_WRITE), HUB_ERROR_AFTER, 500),
	{ .name = "dropped-after", .type = FAULT_HUB,
	  .kinds = K(HUB_WRITE), .fault = HUB_ERROR_AFTER,
	  .transport = MODEL_DROPPED },
	{ .name = "silent-after", .type = FAULT_HUB, .kinds = HUB,
	  .fault = HUB_ERROR_AFTER, .transport = MODEL_SILENT },
	ON_HUB("unreadable", HUB, HUB_BODY, 0),

	/* F50 to F60 */
	INSIDE("refused", GUEST_REFUSED),
	INSIDE("silent", GUEST_SILENT),
	INSIDE("wrong-key", GUEST_WRONG_KEY),
	INSIDE("denied", GUEST_DENIED),
	INSIDE("vanished", GUEST_VANISHED),
	INSIDE("stuck", GUEST_STUCK),
	INSIDE("hostile", GUEST_HOSTILE),
	INSIDE("fails", GUEST_STEP),
	INSIDE("token-expired", GUEST_TOKEN),
	INSIDE("cannot-fetch", GUEST_NO_FETCH),
	{ .name = "cannot-fetch", .type = FAULT_GUEST, .kinds = K(FETCH),
	  .fault = GUEST_NO_FETCH },
	{ .name = "killed", .type = FAULT_HOLDER, .kinds = K(HOLDER) },
	{ .name = "refused", .type = FAULT_NO_BANNER, .kinds = K(BANNER) },
};
const size_t ncrash_faults = COUNTOF(crash_faults);

bool
crash_fault_fits(size_t fault, enum op_kind kind)
{
	return (crash_faults[fault].kinds & 1u << kind) != 0;
}

/* -------------------------------------------------------------- striking -- */

static enum model_call
cloud_call(const struct sim_flight *flight)
{
	struct arena scratch = {0};
	struct str query, id, allow;
	enum model_call call = MODEL_GRAPHQL;

	if (strcmp(flight->path, "/graphql") == 0)
		return call;
	rest_route(&scratch, &(struct model_request){
		.method = str_from(http_method_name(flight->method)),
		.path = str_cut(str_from(flight->path), '?', &query),
		.body = { flight->body, flight->body_len } }, &id, &call,
	    &allow);
	arena_release(&scratch);
	return call;
}

static enum hub_call
hub_call_of(const struct sim_flight *flight)
{
	struct str query, path = str_cut(str_from(flight->path), '?', &query);
	ptrdiff_t at = str_search(path, STR("actions/"));
	struct str what = at < 0 ? (struct str){0}
	    : str_sub(path, (size_t)at + 8, path.len);

	if (str_ends(what, STR("generate-jitconfig")))
		return HUB_JIT;
	if (str_ends(what, STR("-token")))
		return HUB_TOKEN;
	if (str_ends(what, STR("/downloads")))
		return HUB_DOWNLOADS;
	if (str_search(what, STR("/labels")) >= 0)
		return HUB_LABELS;
	if (str_is(what, "runners"))
		return HUB_LIST;
	if (str_starts(what, STR("runners/")))
		return flight->method == HTTP_DELETE ? HUB_DELETE : HUB_GET;
	if (str_starts(what, STR("runner-groups")))
		return HUB_GROUPS;
	return str_search(path, STR("/repos/")) >= 0 && what.len == 0
	    ? HUB_REPO
	    : HUB_OTHER;
}

/* It arrives before anything else that leaves from now on; how many of its
 * kind arrive before it? */
static int64_t
place_in_line(struct recorder *recorder, struct sim_flight *flight)
{
	struct sim *sim = recorder->sim;
	int64_t place = 1;

	flight->at_ms = sim->now_ms;
	for (size_t i = 0; i < sim->nflights; i++) {
		const struct sim_flight *other = &sim->flights[i];
		if (other == flight || other->state != FLIGHT_OUT ||
		    other->github != flight->github || other->path == NULL ||
		    other->at_ms > flight->at_ms)
			continue;
		place += flight->github
		    ? hub_call_of(other) == hub_call_of(flight)
		    : cloud_call(other) == cloud_call(flight);
	}
	return place;
}

static int64_t
fired(const struct recorder *recorder, const struct crash_fault *fault)
{
	const struct sim *sim = recorder->sim;

	switch (fault->type) {
	case FAULT_CLOUD:
		return model_fired(sim->model, (enum model_fault)fault->fault);
	case FAULT_HUB:
		return hub_fired(sim->guests->hub,
		    (enum hub_fault)fault->fault);
	default:
		return 1;
	}
}

void
crash_fault_strike(struct recorder *recorder, const struct crash_fault *fault,
    struct sim_flight *flight)
{
	recorder->fired = fired(recorder, fault);
	if (fault->type == FAULT_GUEST) {
		flight->task->struck = (unsigned)fault->fault + 1;
	} else if (fault->type == FAULT_HUB) {
		hub_add_script(recorder->sim->guests->hub,
		    &(struct hub_script){
			.call = hub_call_of(flight),
			.nth = place_in_line(recorder, flight),
			.fault = (enum hub_fault)fault->fault,
			.status = fault->status,
			.transport = fault->transport });
	} else {
		model_add_script(recorder->sim->model, &(struct model_script){
			.call = cloud_call(flight),
			.nth = place_in_line(recorder, flight),
			.fault = (enum model_fault)fault->fault,
			.status = fault->body != NULL &&
				flight->method == HTTP_POST
			    ? 201
			    : fault->status,
			.transport = fault->transport,
			.cut = 20,
			.delay_ms = fault->delay_ms,
			.body = str_from(fault->body),
			.retry_after = fault->fault == MODEL_RATE_LIMITED
			    ? STR("2")
			    : (struct str){0} });
	}
}

bool
crash_fault_struck(const struct recorder *recorder,
    const struct crash_fault *fault)
{
	return (fault->type != FAULT_CLOUD && fault->type != FAULT_HUB) ||
	    fired(recorder, fault) > recorder->fired;
}
