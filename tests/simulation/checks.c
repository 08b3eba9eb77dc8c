/*
 * checks.c - the invariants, against the cloud's own truth.
 *
 * This file shares nothing with the engine but the wire formats: it looks
 * for marks in the bytes of requests and in the model's pods, for op ids in
 * the safe bytes of the journal, and reads the lock file with json-c.
 */
#include "deeds.h"
#include "stored.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum { OPS = 4096, WANTED = 64, SURGES = 64, HIDDEN = 16, HEX = 32 };

struct op_seen {
	char op[HEX + 1], lineage[HEX + 1], address[64];
	int64_t arrives_ms;
	unsigned sends;
	uint64_t during;		/* command in which it was last sent */
};

struct check {
	struct op_seen ops[OPS];
	size_t nops;
	struct wanted wanted[WANTED];
	size_t nwanted;
	char surges[SURGES][64];	/* addresses that may surge */
	size_t nsurges;
	size_t log_at, looked_at;
	char lineage[HEX + 1];
	int64_t serial;			/* of the last acknowledged commit */
	int64_t safe_serial;		/* of what was safe on the disk, */
	uint64_t safe_hash;		/* and what that was */
	/* Pods of ours, in no record, when a listing was damaged. */
	char hidden[HIDDEN][40];
	size_t nhidden;
	uint64_t hidden_in;		/* command that was given it */
};

struct check *
check_new(void)
{
	return calloc(1, sizeof(struct check));
}

void
check_free(struct check *check)
{
	free(check);
}

static bool
may_surge(const struct check *check, const char *address)
{
	for (size_t i = 0; i < check->nsurges; i++)
		if (strcmp(check->surges[i], address) == 0)
			return true;
	return false;
}

void
check_want(struct sim *sim, const struct wanted *wanted, size_t n)
{
	struct check *check = sim->check;
	check->nwanted = n < WANTED ? n : WANTED;
	memcpy(check->wanted, wanted, check->nwanted * sizeof *wanted);
	/* The window that a replacement opened is open until it was finished,
	 * whatever the spec says meanwhile. */
	for (size_t i = 0; i < n; i++)
		if (wanted[i].surge && check->nsurges < SURGES &&
		    !may_surge(check, wanted[i].address))
			memcpy(check->surges[check->nsurges++],
			    wanted[i].address, sizeof wanted[i].address);
}

/* ---------------------------------------------------------------- marks -- */

/* "v1 <lineage> <op> <address>" anywhere in the bytes. */
static bool
find_mark(const char *bytes, struct op_seen *mark)
{
	const char *at = bytes != NULL ? strstr(bytes, "v1 ") : NULL;
	for (; at != NULL; at = strstr(at + 3, "v1 ")) {
		*mark = (struct op_seen){0};
		int got = 0;
		sscanf(at, "v1 %32[0-9a-f] %32[0-9a-f] %63[a-z0-9.-]%n",
		    mark->lineage, mark->op, mark->address, &got);
		if (got == 0 || strlen(mark->op) != HEX)
			continue;
		/* pod.x[0] is the pod.x that was there. */
		if (at[got] == '[' && at[got + 1] != '0') {
			size_t n = strlen(mark->address);
			sscanf(at + got, "%7[][0-9]", mark->address + n);
		}
		return true;
	}
	return false;
}

static bool lock_knows(const struct sim *sim, struct str id);

/* What people have taken in or let go by hand. */
static const struct by_hand *
by_hand(const struct sim *sim, struct str id)
{
	for (size_t i = sim->nby_hand; i-- > 0;)
		if (str_is(id, sim->by_hand[i].id))
			return &sim->by_hand[i];
	return NULL;
}

bool
check_is_forgotten(const struct sim *sim, const struct model_pod *pod)
{
	const struct by_hand *hand = by_hand(sim, pod->id);

	/* A lock file that came back knows it again. */
	return hand != NULL && hand->forgotten && !lock_knows(sim, pod->id);
}

/* What was imported as pod.x lives beside a pod.x[0] that is to go. */
static bool
is_imported_at(const struct sim *sim, const char *address)
{
	for (size_t i = 0; i < sim->nby_hand; i++)
		if (!sim->by_hand[i].forgotten &&
		    strcmp(sim->by_hand[i].address, address) == 0)
			return true;
	return false;
}

static bool
is_imported(const struct sim *sim, const struct model_pod *pod)
{
	const struct by_hand *hand = by_hand(sim, pod->id);

	return hand != NULL && !hand->forgotten;
}

static bool
pod_mark(const struct model_pod *pod, struct op_seen *mark)
{
	char text[256];
	struct str value = model_pod_asked_env(pod, "PODFORM_MARK");
	if (value.data == NULL || value.len >= sizeof text)
		return false;
	memcpy(text, value.data, value.len);
	text[value.len] = '\0';
	return find_mark(text, mark);
}

static struct op_seen *
find_op(struct check *check, const char *op)
{
	for (size_t i = 0; i < check->nops; i++)
		if (strcmp(check->ops[i].op, op) == 0)
			return &check->ops[i];
	return NULL;
}

static bool
is_ours(const struct check *check, const struct op_seen *mark)
{
	return check->lineage[0] == '\0' ||
	    strcmp(check->lineage, mark->lineage) == 0;
}

/* --------------------------------------------------- I11: one writer ----- */

void
check_one_writer(struct sim *sim, const char *what)
{
	if (disk_locked_by(sim->disk, WORK_DIR "/mutex") != sim->process)
		sim_violate(sim, "I11", "%s by who does not hold the lock",
		    what);
	stored_check_hold(sim, what);
}

/* ------------------------------------------------- I9: intent first ------ */

static bool
safe_holds(const struct sim *sim, const char *op)
{
	struct str journal = disk_get_safe(sim->disk, WORK_DIR "/journal");
	struct str lock = stored_safe(sim);
	/* Somebody has moved it away since (F25). */
	struct str moved = disk_get_safe(sim->disk,
	    WORK_DIR "/journal.moved");
	return str_search(moved, str_from(op)) != -1 ||
	    str_search(journal, str_from(op)) != -1 ||
	    str_search(lock, str_from(op)) != -1;
}

static bool
had_effect(const struct sim *sim, const char *op)
{
	for (size_t i = 0; i < model_pod_count(sim->model); i++) {
		struct op_seen mark;
		if (pod_mark(model_pod_at(sim->model, i), &mark) &&
		    strcmp(mark.op, op) == 0)
			return true;
	}
	return false;
}

void
check_request(struct sim *sim, const struct sim_flight *flight)
{
	struct check *check = sim->check;
	struct op_seen mark;
	struct str body = { flight->body, flight->body_len };
	sinks_sent(sim, flight->github ? SINK_GITHUB : SINK_CLOUD, body,
	    flight->github ? "GitHub" : "the cloud");
	sinks_sent(sim, SINK_GITHUB, str_from(flight->path), flight->path);
	promises_sent(sim, flight);
	if (flight->method != HTTP_POST ||
	    strcmp(flight->path, "/v2/pods") != 0)
		return;
	if (!find_mark(flight->body, &mark)) {
		sim_violate(sim, "I9", "a create without a mark");
		return;
	}
	if (check->lineage[0] == '\0')
		memcpy(check->lineage, mark.lineage, sizeof check->lineage);
	if (!safe_holds(sim, mark.op))
		sim_violate(sim, "I9", "create of %s sent, its op %.8s is not "
		    "on the disk", mark.address, mark.op);
	struct op_seen *seen = find_op(check, mark.op);
	if (seen == NULL && check->nops < OPS) {
		seen = &check->ops[check->nops++];
		*seen = mark;
	} else if (seen != NULL && had_effect(sim, mark.op)) {
		sim_violate(sim, "I9", "op %.8s sent again although it had "
		    "made a pod", mark.op);
	}
	if (seen == NULL)
		return;
	seen->arrives_ms = flight->at_ms;
	seen->sends++;
	seen->during = sim->command;
}

/* ------------------------------------------- I2: no double bill ---------- */

/* In the lock file, or in the journal that belongs to it. */
static bool
lock_knows(const struct sim *sim, struct str id)
{
	char member[80];

	/* Its history names what it has not any more. */
	snprintf(member, sizeof member, "\"id\": \"" STR_FMT "\"",
	    STR_ARG(id));
	struct str rest = stored_record(sim);
	ptrdiff_t at;
	while ((at = str_search(rest, str_from(member))) >= 0) {
		struct str object = str_sub(rest, (size_t)at, rest.len);
		rest = str_sub(object, 1, object.len);
		object = str_cut(object, '}', &(struct str){0});
		if (str_search(object, STR("\"released\": true")) < 0)
			return true;
	}
	return false;
}

/* One op, two pods: the cloud did that by itself. */
static bool
has_twin(const struct sim *sim, const struct model_pod *pod, const char *op)
{
	for (size_t i = 0; i < model_pod_count(sim->model); i++) {
		const struct model_pod *other = model_pod_at(sim->model, i);
		struct op_seen mark;
		if (other != pod && pod_mark(other, &mark) &&
		    strcmp(mark.op, op) == 0)
			return true;
	}
	return false;
}

/*
 * An effect that arrived after the settling time is the cloud's own fault,
 * as is a pod that the console copied or an op executed twice.  That they
 * end all the same, I1 sees.
 */
static bool
is_excused(const struct sim *sim, const struct model_pod *pod,
    const struct op_seen *mark)
{
	const struct op_seen *op = find_op(sim->check, mark->op);
	/* Renamed before we knew it: half a mark, which proves nothing. */
	if (check_is_half(pod) && !lock_knows(sim, pod->id))
		return true;
	return pod->by_console || op == NULL || check_is_forgotten(sim, pod) ||
	    has_twin(sim, pod, mark->op) ||
	    pod->created_ms - EPOCH_MS - op->arrives_ms > sim->hides_ms;
}

/* Was it there, and not to be seen, when this command read a listing? */
static bool
was_hidden(const struct sim *sim, struct str id)
{
	const struct check *check = sim->check;

	for (size_t i = 0; check->hidden_in == sim->command &&
	     i < check->nhidden; i++)
		if (str_is(id, check->hidden[i]))
			return true;
	return false;
}

static void
check_doubles(struct sim *sim)
{
	struct check *check = sim->check;
	size_t n = model_pod_count(sim->model);
	struct op_seen marks[64];
	const struct model_pod *pods[64];
	size_t nmarks = 0;
	bool hidden = false;
	for (size_t i = 0; i < n; i++) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		struct op_seen mark;
		if (!model_pod_billed(pod) || !pod_mark(pod, &mark) ||
		    is_excused(sim, pod, &mark) ||
		    is_imported_at(sim, mark.address))
			continue;
		unsigned others = 0;
		for (size_t j = 0; j < nmarks; j++) {
			if (strcmp(marks[j].address, mark.address) != 0 ||
			    strcmp(marks[j].op, mark.op) == 0)
				continue;
			others++;
			hidden |= was_hidden(sim, pods[j]->id);
		}
		if (others > (may_surge(check, mark.address) ? 1u : 0u))
			sim_violate(sim, hidden ? "I10" : "I2", "%s is billed "
			    "more than once%s", mark.address,
			    hidden ? ": it was made anew, and the listing "
				     "that lacked it was cut"
				   : "");
		pods[nmarks] = pod;
		if (nmarks < 63)
			marks[nmarks++] = mark;
	}
}

/* ---------------------------------------------------- I3: hands off ------ */

/* I12: the process that runs does what its plan says. */
static const struct plan_change *
check_planned(struct sim *sim, const struct model_entry *entry)
{
	const struct model_pod *pod = model_pod_find(sim->model, entry->id);
	const struct by_hand *hand = by_hand(sim, entry->id);
	struct op_seen mark = {0};

	if (sim->program == NULL || entry->actor != MODEL_BY_API ||
	    !sim->direct || !sim->own)
		return NULL;
	if (hand != NULL)
		memcpy(mark.address, hand->address, sizeof mark.address);
	else if (pod != NULL)
		pod_mark(pod, &mark);
	const struct plan_change *shown =
	    sim->program->shown(entry->op, entry->id, mark.address);
	if (shown == NULL)
		sim_violate(sim, "I12", "%s of %s (%s) is in no plan",
		    model_op_name(entry->op), entry->id.data, mark.address);
	return shown;
}

/* Did anything else happen to it since we looked last? */
static bool
is_alone(const struct sim *sim, size_t at)
{
	const struct model_entry *entry = model_log_at(sim->model, at);

	for (size_t i = sim->check->looked_at; i < model_log_count(sim->model);
	     i++)
		if (i != at &&
		    str_eq(model_log_at(sim->model, i)->id, entry->id))
			return false;
	return true;
}

static void
check_entry(struct sim *sim, const struct model_entry *entry)
{
	struct op_seen mark;
	if (entry->actor != MODEL_BY_API || entry->op == MODEL_OP_CREATE ||
	    entry->op >= MODEL_OP_VOLUME_CREATE)
		return;
	const struct model_pod *pod = model_pod_find(sim->model, entry->id);
	sim_trace(sim, "changed %s: %s", model_op_name(entry->op),
	    pod != NULL ? pod->name.data : "?");
	if (pod != NULL && is_imported(sim, pod))
		return;
	if (pod == NULL || !pod_mark(pod, &mark) ||
	    !is_ours(sim->check, &mark) ||
	    (sim->direct && check_is_forgotten(sim, pod)))
		sim_violate(sim, "I3", "%s of a pod that is not ours",
		    model_op_name(entry->op));
}

/*
 * I10: where nothing has to change, whatever is sent came of a damaged
 * picture.  Ending what the cloud made by itself, or late, is no such thing.
 */
static void
check_still(struct sim *sim, const struct model_entry *entry)
{
	struct op_seen mark;
	const struct model_pod *pod = model_pod_find(sim->model, entry->id);
	if (entry->actor != MODEL_BY_API || !sim->direct)
		sim->restless_ms = sim->now_ms;
	if (entry->actor != MODEL_BY_API || !sim->direct) {
		sim->still_since_ms = -1;	/* an old request strikes late */
		sim->late = true;
	}
	if (sim->still_since_ms < 0 || entry->actor != MODEL_BY_API ||
	    entry->op >= MODEL_OP_VOLUME_CREATE || pod == NULL ||
	    !pod_mark(pod, &mark) || is_excused(sim, pod, &mark))
		return;
	const struct op_seen *op = find_op(sim->check, mark.op);
	if (entry->op == MODEL_OP_CREATE &&
	    op->arrives_ms < sim->still_since_ms)
		return;
	sim_violate(sim, "I10", "%s of %s although nothing has to change",
	    model_op_name(entry->op), mark.address);
}

void
check_cloud(struct sim *sim)
{
	struct check *check = sim->check;
	size_t n = model_log_count(sim->model);
	if (check->log_at == n)
		return;
	check->looked_at = check->log_at;
	for (; check->log_at < n; check->log_at++) {
		const struct model_entry *entry =
		    model_log_at(sim->model, check->log_at);
		check_entry(sim, entry);
		deeds_entry(sim, entry, check_planned(sim, entry),
		    is_alone(sim, check->log_at));
		check_still(sim, entry);
	}
	check_doubles(sim);
}

/* ------------------------------------------------ I7: the lock reads ----- */

/* Two entries for one thing: what is done to one is not known to the other,
 * and podform refuses such a file. */
static bool
has_twice(struct json_object *lock)
{
	json_object *entries, *a, *b;
	size_t n;

	if (!json_object_object_get_ex(lock, "resources", &entries))
		return false;
	n = json_object_array_length(entries);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (json_object_object_get_ex(
				json_object_array_get_idx(entries, i), "id",
				&a) &&
			    json_object_object_get_ex(
				json_object_array_get_idx(entries, j), "id",
				&b) &&
			    json_object_equal(a, b))
				return true;
	return false;
}

static bool
read_lock(struct sim *sim, int64_t *serial, char lineage[HEX + 1])
{
	struct str text = stored_record(sim);
	*serial = -1;
	if (text.data == NULL)
		return true;
	/* What has been cut off is still in memory behind it. */
	json_tokener *tokener = json_tokener_new();
	json_object *field, *lock = json_tokener_parse_ex(tokener, text.data,
	    (int)text.len);
	json_tokener_free(tokener);
	bool ok = lock != NULL && json_object_is_type(lock, json_type_object);
	if (ok && json_object_object_get_ex(lock, "serial", &field))
		*serial = json_object_get_int64(field);
	if (ok && json_object_object_get_ex(lock, "lineage", &field))
		snprintf(lineage, HEX + 1, "%s", json_object_get_string(field));
	if (ok && has_twice(lock))
		sim_violate(sim, "I7", "the lock file has one thing twice");
	json_object_put(lock);
	return ok && *serial > 0;
}

int64_t
check_serial(struct sim *sim)
{
	char lineage[HEX + 1] = "";
	int64_t serial = -1;

	read_lock(sim, &serial, lineage);
	return serial;
}

bool
check_lock_knows(const struct sim *sim, struct str id)
{
	return lock_knows(sim, id);
}

bool
check_is_of(const struct sim *sim, const struct model_pod *pod,
    const char *address)
{
	const struct by_hand *hand = by_hand(sim, pod->id);
	struct op_seen mark = {0};

	if (hand == NULL && !pod_mark(pod, &mark))
		return false;
	return strcmp(hand != NULL ? hand->address : mark.address, address) ==
	    0;
}

bool
check_record_knows(const struct sim *sim, struct str id)
{
	return lock_knows(sim, id) ||
	    str_search(disk_get(sim->disk, WORK_DIR "/journal"), id) >= 0;
}

static bool
is_unknown(const struct sim *sim, const struct model_pod *pod)
{
	struct op_seen mark;

	return model_pod_billed(pod) && !pod->by_console &&
	    pod_mark(pod, &mark) && by_hand(sim, pod->id) == NULL &&
	    !check_record_knows(sim, pod->id);
}

bool
check_has_unknown(const struct sim *sim)
{
	for (size_t i = model_pod_count(sim->model); i-- > 0;)
		if (is_unknown(sim, model_pod_at(sim->model, i)))
			return true;
	return false;
}

void
check_damaged(struct sim *sim)
{
	struct check *check = sim->check;

	if (check->hidden_in != sim->command)
		check->nhidden = 0;
	check->hidden_in = sim->command;
	for (size_t i = model_pod_count(sim->model);
	     i-- > 0 && check->nhidden < HIDDEN;) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		if (is_unknown(sim, pod))
			snprintf(check->hidden[check->nhidden++],
			    sizeof check->hidden[0], STR_FMT,
			    STR_ARG(pod->id));
	}
}

/* What is safe on the disk under one serial stays what it is. */
static void
check_serial_once(struct sim *sim, int64_t serial)
{
	struct check *check = sim->check;
	struct str text = stored_record(sim);
	uint64_t hash = str_hash(text);

	if (!str_eq(text, stored_safe(sim)))
		return;
	if (check->safe_serial == serial && check->safe_hash != hash)
		sim_violate(sim, "I7", "two lock files have the serial %lld",
		    (long long)serial);
	check->safe_serial = serial;
	check->safe_hash = hash;
}

void
check_lock_file(struct sim *sim)
{
	struct check *check = sim->check;
	char lineage[HEX + 1] = "";
	int64_t serial;
	if (!read_lock(sim, &serial, lineage)) {
		sim_violate(sim, "I7", "the lock file does not read");
		return;
	}
	if (serial == -1) {
		if (check->serial > 0)
			sim_violate(sim, "I7", "the lock file is gone");
		return;
	}
	if (serial < check->serial)
		sim_violate(sim, "I7", "the serial fell from %lld to %lld",
		    (long long)check->serial, (long long)serial);
	if (check->serial > 0 && check->lineage[0] != '\0' &&
	    strcmp(lineage, check->lineage) != 0)
		sim_violate(sim, "I7", "the lineage changed");
	check_serial_once(sim, serial);
}

void
check_exit(struct sim *sim, const char *command, int code,
    const struct run_summary *summary)
{
	struct check *check = sim->check;
	char lineage[HEX + 1] = "";
	int64_t serial;
	sim_trace(sim, "%s ended with %d", command, code);
	check_lock_file(sim);
	/* A killed commit may be seen before it is safe; who fails has not
	 * vouched for it, who exits 0 has. */
	bool vouched = (code == 0 && strcmp(command, "plan") != 0) ||
	    str_eq(stored_record(sim),
		stored_safe(sim));
	if (read_lock(sim, &serial, lineage) && vouched &&
	    serial > check->serial) {
		check->serial = serial;
		memcpy(check->lineage, lineage, sizeof lineage);
	}
	(void)summary;
}

/* ------------------------------------- I1, I5: nothing leaks, it settles -- */

static bool
is_shown(const struct sim *sim, struct str id)
{
	return str_search(strbuf_str(&sim->reported), id) != -1 ||
	    str_search(strbuf_str(&sim->said), id) != -1;
}

void
check_made(struct sim *sim,
    void (*found)(struct sim *sim, struct str id, const char *address))
{
	for (size_t i = 0; i < model_pod_count(sim->model); i++) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		struct op_seen mark;
		const struct op_seen *op = NULL;
		if (model_pod_billed(pod) && pod_mark(pod, &mark))
			op = find_op(sim->check, mark.op);
		if (op != NULL && op->during == sim->command &&
		    !lock_knows(sim, pod->id))
			found(sim, pod->id, mark.address);
	}
}

void
check_undone(struct sim *sim)
{
	for (size_t i = 0; i < model_pod_count(sim->model); i++) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		struct op_seen mark;
		const struct op_seen *op = NULL;
		if (pod_mark(pod, &mark))
			op = find_op(sim->check, mark.op);
		if (op == NULL || op->during != sim->command ||
		    pod->ended_ms == -1)
			continue;
		if (lock_knows(sim, pod->id))
			sim_violate(sim, "I8", "%s (%s) was ended by a "
			    "rollback and is still recorded", pod->id.data,
			    mark.address);
	}
}

const struct model_pod *
check_pod_of(struct sim *sim, const char *address)
{
	for (size_t i = model_pod_count(sim->model); i-- > 0;) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		struct op_seen mark;
		const struct by_hand *hand = by_hand(sim, pod->id);
		if (model_pod_billed(pod) && hand != NULL &&
		    !hand->forgotten && lock_knows(sim, pod->id) &&
		    strcmp(hand->address, address) == 0)
			return pod;
		if (check_is_forgotten(sim, pod))
			continue;
		/* With half a mark it is nobody's, and shown. */
		if (model_pod_billed(pod) && pod_mark(pod, &mark) &&
		    lock_knows(sim, pod->id) &&
		    strcmp(mark.address, address) == 0)
			return pod;
	}
	return NULL;
}

bool
check_is_half(const struct model_pod *pod)
{
	struct str mark = model_pod_env(pod, "PODFORM_MARK");
	ptrdiff_t at = str_search(pod->name, STR("-pf"));
	struct op_seen whole;
	char text[256];

	if (mark.data == NULL || mark.len >= sizeof text)
		return at >= 0 ||
		    model_pod_asked_env(pod, "PODFORM_MARK").data != NULL;
	memcpy(text, mark.data, mark.len);
	text[mark.len] = '\0';
	/* The name has six digits of the lineage and ten of the op. */
	return at < 0 || !find_mark(text, &whole) ||
	    str_search(pod->name, (struct str){ whole.op, 10 }) < 0;
}

static void
count_wanted(const struct check *check, const char *address, unsigned *have)
{
	for (size_t j = 0; j < check->nwanted; j++)
		have[j] += strcmp(check->wanted[j].address, address) == 0;
}

/* An empty plan says that they are as the spec has them; are they? */
static void
check_same(struct sim *sim, const struct model_pod *pod, const char *address)
{
	const struct check *check = sim->check;

	for (size_t j = 0; j < check->nwanted; j++) {
		const struct wanted *wanted = &check->wanted[j];
		if (strcmp(wanted->address, address) != 0 || wanted->stopped ||
		    wanted->image[0] == '\0')
			continue;
		if (!str_is(pod->image, wanted->image) ||
		    !str_is(model_pod_env(pod, "MODE"), wanted->mode))
			sim_violate(sim, "I5", "the plan is empty, and %s has "
			    "%s and MODE " STR_FMT ", not %s and %s", address,
			    pod->image.data,
			    STR_ARG(model_pod_env(pod, "MODE")),
			    wanted->image, wanted->mode);
	}
}

const struct wanted *
check_wants(const struct sim *sim, size_t *n)
{
	*n = sim->check->nwanted;
	return sim->check->wanted;
}

void
check_address(const struct sim *sim, const struct model_pod *pod,
    char out[64])
{
	const struct by_hand *hand = by_hand(sim, pod->id);
	struct op_seen mark = {0};

	out[0] = '\0';
	if (!lock_knows(sim, pod->id) || check_is_forgotten(sim, pod))
		return;
	if (hand != NULL && !hand->forgotten)
		snprintf(out, 64, "%s", hand->address);
	else if (pod_mark(pod, &mark))
		snprintf(out, 64, "%s", mark.address);
}

void
check_settled(struct sim *sim, bool destroyed)
{
	struct check *check = sim->check;
	unsigned have[WANTED] = {0};
	for (size_t i = 0; i < model_pod_count(sim->model); i++) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		struct op_seen mark;
		const struct by_hand *hand = by_hand(sim, pod->id);
		if (!model_pod_billed(pod) || check_is_forgotten(sim, pod))
			continue;
		if (hand != NULL && lock_knows(sim, pod->id)) {
			count_wanted(check, hand->address, have);
			if (destroyed)
				sim_violate(sim, "I1", "%s was imported as "
				    "%s and not destroyed", pod->id.data,
				    hand->address);
			continue;
		}
		if (!pod_mark(pod, &mark))
			continue;
		/* Both parts were taken off before it was known. */
		if (!lock_knows(sim, pod->id) &&
		    model_pod_env(pod, "PODFORM_MARK").data == NULL &&
		    str_search(pod->name, STR("-pf")) < 0)
			continue;
		/* With half a mark it is shown, for a person to decide. */
		bool half = check_is_half(pod) && is_shown(sim, pod->id);
		if (!half && (destroyed || !lock_knows(sim, pod->id)))
			sim_violate(sim, "I1", "%s (%s) is billed and %s",
			    pod->id.data, mark.address,
			    destroyed ? "was to be destroyed"
				      : "in no record");
		if (!half)
			count_wanted(check, mark.address, have);
		if (!half && !destroyed)
			check_same(sim, pod, mark.address);
	}
	for (size_t i = 0; i < model_volume_count(sim->model); i++) {
		const struct model_volume *volume =
		    model_volume_at(sim->model, i);
		if (volume->ended_ms != -1 || volume->by_console)
			continue;
		/* A volume holds data, and its name alone is no proof: one that
		 * no record knows is shown to the user, not ended. */
		if (!is_shown(sim, volume->id) && (destroyed || !lock_knows(sim, volume->id)))
			sim_violate(sim, "I1", "volume %s is billed and in no "
			    "record", volume->id.data);
	}
	for (size_t j = 0; j < check->nwanted && !destroyed; j++)
		if (strncmp(check->wanted[j].address, "pod.", 4) == 0 &&
		    !check->wanted[j].stopped && have[j] != 1)
			sim_violate(sim, "I5", "%s: %u billed pods after all "
			    "has settled", check->wanted[j].address, have[j]);
}
