/* deeds.c - see deeds.h: what was shown, and what was done */
#include "deeds.h"

#include "model/catalog.h"
#include "stored.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum { LAGS_MS = 70000 };	/* a listing, or an answer to a GET */

struct deeds *
deeds_new(void)
{
	return calloc(1, sizeof(struct deeds));
}

void
deeds_free(struct deeds *deeds)
{
	free(deeds->before.lock);
	free(deeds);
}

/* --------------------------------------------------------------- shadows -- */

static void
shadow_take(struct shadow *shadow, const struct model_pod *pod)
{
	size_t n = 0;

	*shadow = (struct shadow){
		.there = true, .billed = model_pod_billed(pod),
		.runs = pod->status != MODEL_EXITED &&
		    pod->status != MODEL_TERMINATED,
		.name = pod->name, .image = pod->image, .args = pod->args,
		.volume_id = pod->volume_id, .volume_path = pod->volume_path,
		.disk_gb = pod->disk_gb, .gpu_count = pod->gpu_count,
		.gpu = pod->gpu, .env = pod->env, .nenv = pod->nenv,
		.community = pod->community,
	};
	for (size_t i = 0; i < pod->nports; i++) {
		int more = snprintf(shadow->ports + n,
		    sizeof shadow->ports - n, "%u/%s ", pod->ports[i].inside,
		    pod->ports[i].tcp ? "tcp" : "http");
		n += (size_t)more;
		if (n >= sizeof shadow->ports)
			break;
	}
}

static struct str
env_of(const struct shadow *shadow, struct str name)
{
	for (size_t i = 0; i < shadow->nenv; i++)
		if (str_eq(shadow->env[i].name, name))
			return shadow->env[i].value;
	return (struct str){0};
}

/* ----------------------------------------------------- what was shown ---- */

/* A text of JSON as it is meant: a string's own letters; of a list its
 * parts, each with a space behind it.  In buf. */
static struct str
meant(struct str json, char *buf, size_t size)
{
	char text[512];
	json_object *value;
	size_t n = 0;

	buf[0] = '\0';
	if (json.data == NULL || json.len >= sizeof text)
		return (struct str){0};
	memcpy(text, json.data, json.len);
	text[json.len] = '\0';
	value = json_tokener_parse(text);
	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value) &&
		     n < size; i++)
			n += (size_t)snprintf(buf + n, size - n, "%s ",
			    json_object_get_string(
				json_object_array_get_idx(value, i)));
	else
		snprintf(buf, size, "%s", json_object_get_string(value));
	json_object_put(value);
	return str_from(buf);
}

/* The value that this story's one secret stands for is put in. */
static bool
is_resolved(const struct sim *sim, struct str raw, struct str value)
{
	struct str name = STR("${secret.K}"), key = str_from(sim->spec_secret);
	ptrdiff_t at = str_search(raw, name);

	if (at < 0)
		return str_eq(raw, value);
	size_t before = (size_t)at, after = raw.len - before - name.len;
	return value.len == before + key.len + after &&
	    str_starts(value, str_sub(raw, 0, before)) &&
	    str_eq(str_sub(value, before, key.len), key) &&
	    str_ends(value, str_sub(raw, raw.len - after, after));
}

enum said { SAID_NOTHING, SAID_SO, SAID_OTHERWISE };

static bool
holds_word(struct str list, const char *word)
{
	struct str rest = list;

	if (str_is(list, word))
		return true;
	while (rest.len > 0) {
		ptrdiff_t end = str_find(rest, ' ');
		if (str_is(end < 0 ? str_trim(rest)
				   : str_sub(rest, 0, (size_t)end), word))
			return true;
		rest = end < 0 ? (struct str){0}
		    : str_sub(rest, (size_t)end + 1, rest.len);
	}
	return false;
}

/* Is the pod at that path as the text says? */
static bool
is_so(const struct sim *sim, const struct shadow *pod, struct str path,
    struct str json)
{
	char buf[512], number[32];
	struct str want = meant(json, buf, sizeof buf);

	if (str_starts(path, STR("env."))) {
		struct str have = env_of(pod, str_sub(path, 4, path.len));
		return json.data == NULL ? have.data == NULL
		    : have.data != NULL && is_resolved(sim, want, have);
	}
	if (str_is(path, "name"))	/* the mark comes behind it */
		return str_starts(pod->name, want) || want.len > 40;
	if (str_is(path, "image"))
		return str_eq(pod->image, want);
	if (str_is(path, "args"))
		return str_eq(pod->args, want);
	if (str_is(path, "ports"))
		return str_is(want, pod->ports);
	if (str_is(path, "network_volume.volume"))
		return str_eq(pod->volume_id, want);
	if (str_is(path, "network_volume.path"))
		return str_eq(pod->volume_path, want);
	if (str_is(path, "gpu.type"))
		return pod->gpu != NULL && str_search(want,
		    str_from(pod->gpu->id)) >= 0;
	if (str_is(path, "cloud"))
		return str_is(want, "any") ||
		    str_is(want, pod->community ? "community" : "secure");
	if (str_is(path, "disk")) {
		snprintf(number, sizeof number, "%lldGB",
		    (long long)pod->disk_gb);
		return str_is(want, number);
	}
	if (str_is(path, "gpu_count")) {
		snprintf(number, sizeof number, "%lld",
		    (long long)pod->gpu_count);
		return holds_word(want, number);
	}
	return true;			/* where a pod is made: see run_listing */
}

static const struct plan_attr *
find_attr(const struct plan_change *change, struct str path)
{
	for (size_t i = 0; i < change->attrs.n; i++)
		if (str_eq(change->attrs.items[i].path, path))
			return &change->attrs.items[i];
	return NULL;
}

/* ----------------------------------------------------------- a creation -- */

/* What podform or the service puts there by itself. */
static bool
is_injected(struct str name)
{
	return str_is(name, "PODFORM_MARK") || str_is(name, "PUBLIC_KEY") ||
	    str_starts(name, STR("RUNPOD_")) ||
	    str_starts(name, STR("JUPYTER_"));
}

/* Without the mark, which is another one. */
static bool
same_base(struct str a, struct str b)
{
	ptrdiff_t end_a = str_search(a, STR("-pf"));
	ptrdiff_t end_b = str_search(b, STR("-pf"));

	return str_eq(end_a < 0 ? a : str_sub(a, 0, (size_t)end_a),
	    end_b < 0 ? b : str_sub(b, 0, (size_t)end_b));
}

static void
is_made_as_shown(struct sim *sim, const struct shadow *pod,
    const struct plan_change *change, struct str id)
{
	static const char *const texts[] = { "args", "ports",
		"network_volume.volume" };
	const struct str have[] = { pod->args, str_from(pod->ports),
		pod->volume_id };

	/* A replacement shows what differs from the one that it replaces. */
	bool whole = change->op == PLAN_CREATE;
	if (!whole && change->have != NULL &&
	    find_attr(change, STR("name")) == NULL &&
	    !same_base(change->have->pod.name, pod->name))
		sim_violate(sim, "I12", STR_FMT " of " STR_FMT " gets the "
		    "name " STR_FMT ", and nobody was shown that", STR_ARG(id),
		    STR_ARG(change->address), STR_ARG(pod->name));
	for (size_t i = 0; i < change->attrs.n; i++) {
		const struct plan_attr *attr = &change->attrs.items[i];
		if (!attr->unknown && !is_so(sim, pod, attr->path, attr->after))
			sim_violate(sim, "I12", STR_FMT " of " STR_FMT " is "
			    "made otherwise than shown: " STR_FMT " is not "
			    STR_FMT, STR_ARG(id), STR_ARG(change->address),
			    STR_ARG(attr->path), STR_ARG(attr->after));
	}
	for (size_t i = 0; whole && i < COUNTOF(texts); i++)
		if (have[i].len > 0 &&
		    find_attr(change, str_from(texts[i])) == NULL)
			sim_violate(sim, "I12", STR_FMT " of " STR_FMT " has "
			    "%s, and nobody was shown that", STR_ARG(id),
			    STR_ARG(change->address), texts[i]);
	for (size_t i = 0; whole && i < pod->nenv; i++) {
		char path[128];
		snprintf(path, sizeof path, "env." STR_FMT,
		    STR_ARG(pod->env[i].name));
		if (!is_injected(pod->env[i].name) &&
		    find_attr(change, str_from(path)) == NULL)
			sim_violate(sim, "I12", STR_FMT " of " STR_FMT " has "
			    "%s, and nobody was shown that", STR_ARG(id),
			    STR_ARG(change->address), path);
	}
}

/* -------------------------------------------------------------- a change -- */

static void
must_be_shown(struct sim *sim, const struct plan_change *change,
    const char *path, struct str id)
{
	if (find_attr(change, str_from(path)) == NULL)
		sim_violate(sim, "I12", "%s of " STR_FMT " (" STR_FMT ") is "
		    "changed, and nobody was shown that", path, STR_ARG(id),
		    STR_ARG(change->address));
}

static void
env_is_changed_as_shown(struct sim *sim, const struct shadow *was,
    const struct shadow *is, const struct plan_change *change, struct str id)
{
	const struct shadow *both[] = { was, is };

	for (size_t side = 0; side < 2; side++)
		for (size_t i = 0; i < both[side]->nenv; i++) {
			struct str name = both[side]->env[i].name;
			struct str old = env_of(was, name);
			struct str new = env_of(is, name);
			char path[128];
			snprintf(path, sizeof path, "env." STR_FMT,
			    STR_ARG(name));
			bool same = (old.data == NULL) == (new.data == NULL) &&
			    str_eq(old, new);
			if (!same && str_is(name, "PODFORM_MARK"))
				sim_violate(sim, "I12", STR_FMT " gets another "
				    "mark: " STR_FMT " for " STR_FMT,
				    STR_ARG(id), STR_ARG(new), STR_ARG(old));
			else if (!same && !is_injected(name))
				must_be_shown(sim, change, path, id);
		}
}

/* An update is one request: all of it is as it was to be or, where it was
 * undone, all of it is as it was shown to have been. */
static void
is_changed_as_shown(struct sim *sim, const struct shadow *was,
    const struct shadow *is, const struct plan_change *change, struct str id)
{
	struct str wrong = {0}, not_back = {0};

	for (size_t i = 0; i < change->attrs.n; i++) {
		const struct plan_attr *attr = &change->attrs.items[i];
		if (!attr->unknown && !is_so(sim, is, attr->path, attr->after))
			wrong = attr->path;
		/* Of a secret one never sees what it was. */
		if (!attr->sensitive &&
		    !is_so(sim, is, attr->path, attr->before))
			not_back = attr->path;
	}
	/* What somebody has done since the last look, or what a look that lags
	 * lacks, goes with an update: the service knows no "only if". */
	if (was->others_ms >= 0 && sim->now_ms - was->others_ms < LAGS_MS)
		return;
	if (wrong.len > 0 && not_back.len > 0)
		sim_violate(sim, "I12", STR_FMT " of " STR_FMT " is changed "
		    "to what nobody was shown: " STR_FMT, STR_ARG(id),
		    STR_ARG(change->address), STR_ARG(wrong));
	if (!str_eq(was->name, is->name))
		must_be_shown(sim, change, "name", id);
	if (!str_eq(was->image, is->image))
		must_be_shown(sim, change, "image", id);
	if (!str_eq(was->args, is->args))
		must_be_shown(sim, change, "args", id);
	if (was->disk_gb != is->disk_gb)
		must_be_shown(sim, change, "disk", id);
	if (strcmp(was->ports, is->ports) != 0)
		must_be_shown(sim, change, "ports", id);
	env_is_changed_as_shown(sim, was, is, change, id);
}

/* -------------------------------------------------------------- any deed -- */

void
deeds_entry(struct sim *sim, const struct model_entry *entry,
    const struct plan_change *change, bool alone)
{
	const struct model_pod *pod = model_pod_find(sim->model, entry->id);
	struct shadow is;

	if (pod == NULL || pod->number == 0 || pod->number > SHADOWS ||
	    entry->op >= MODEL_OP_VOLUME_CREATE)
		return;
	struct shadow *shadow = &sim->deeds->now[pod->number - 1];
	shadow_take(&is, pod);
	if (change != NULL && alone && entry->op == MODEL_OP_CREATE)
		is_made_as_shown(sim, &is, change, pod->id);
	else if (change != NULL && alone && shadow->there &&
	    entry->op == MODEL_OP_UPDATE)
		is_changed_as_shown(sim, shadow, &is, change, pod->id);
	is.changed_ms = sim->now_ms;
	is.others_ms = change == NULL || !alone ? sim->now_ms
	    : shadow->there ? shadow->others_ms
	    : -1;
	*shadow = is;
}

/* ------------------------------------------------------- I8: rollback ---- */

void
deeds_begin(struct sim *sim)
{
	struct before *before = &sim->deeds->before;
	size_t n = model_pod_count(sim->model);

	if (sim->process != 1)
		return;
	before->npods = n < SHADOWS ? n : SHADOWS;
	for (size_t i = 0; i < before->npods; i++)
		shadow_take(&before->pods[i], model_pod_at(sim->model, i));
	for (size_t i = 0; i < before->npods; i++)
		before->pods[i].changed_ms = sim->deeds->now[i].changed_ms;
	before->nrunners = hub_runner_count(sim->guests->hub);
	free(before->lock);
	before->lock = NULL;
	struct str lock = stored_record(sim);
	struct str journal = disk_get(sim->disk, WORK_DIR "/journal");
	/* What is open changes the record when it is settled. */
	if (lock.data == NULL || journal.len > 0 ||
	    str_search(lock, STR("\"pending\": []")) < 0)
		return;
	before->lock = malloc(lock.len + 1);
	memcpy(before->lock, lock.data, lock.len);
	before->lock[lock.len] = '\0';
	before->lock_len = lock.len;
}

static bool
same_env(const struct shadow *a, const struct shadow *b)
{
	for (size_t i = 0; i < a->nenv; i++)
		if (!is_injected(a->env[i].name) &&
		    !str_eq(env_of(b, a->env[i].name), a->env[i].value))
			return false;
	for (size_t i = 0; i < b->nenv; i++)
		if (!is_injected(b->env[i].name) &&
		    env_of(a, b->env[i].name).data == NULL)
			return false;
	return str_eq(env_of(a, STR("PODFORM_MARK")),
	    env_of(b, STR("PODFORM_MARK")));
}

/* The attribute in which they differ, or NULL. */
static const char *
differ(const struct shadow *was, const struct shadow *is)
{
	return was->billed != is->billed ? "its being there"
	    : was->runs != is->runs ? "its state"
	    : !str_eq(was->name, is->name) ? "its name"
	    : !str_eq(was->image, is->image) ? "its image"
	    : !str_eq(was->args, is->args) ? "its args"
	    : was->disk_gb != is->disk_gb ? "its disk"
	    : strcmp(was->ports, is->ports) != 0 ? "its ports"
	    : !str_eq(was->volume_id, is->volume_id) ? "its volume"
	    : !same_env(was, is) ? "its environment"
	    : NULL;
}

static json_object *
resources(json_object *lock)
{
	json_object *found = NULL;

	json_object_object_get_ex(lock, "resources", &found);
	return found;
}

static json_object *
entry_by_id(json_object *entries, const char *id)
{
	for (size_t i = 0; i < json_object_array_length(entries); i++) {
		json_object *entry = json_object_array_get_idx(entries, i);
		json_object *own;
		if (json_object_object_get_ex(entry, "id", &own) &&
		    strcmp(json_object_get_string(own), id) == 0)
			return entry;
	}
	return NULL;
}

/* Words of the spec, and what is known of the inside, may be newer. */
static bool
may_differ(const char *key)
{
	return strcmp(key, "address") == 0 || strcmp(key, "protect") == 0 ||
	    strcmp(key, "inside") == 0 || strcmp(key, "spec_digest") == 0 ||
	    strcmp(key, "name_pattern") == 0 ||
	    strcmp(key, "price_per_hour") == 0 ||
	    strcmp(key, "runner") == 0;
}

static void
check_entry_is_back(struct sim *sim, json_object *was, json_object *is,
    const char *id)
{
	json_object_object_foreach(was, key, value) {
		json_object *now = NULL;
		json_object_object_get_ex(is, key, &now);
		if (!may_differ(key) && !json_object_equal(value, now))
			sim_violate(sim, "I8", "all is undone, and %s of %s "
			    "is recorded as %s, not %s", key, id,
			    json_object_get_string(now),
			    json_object_get_string(value));
	}
	json_object_object_foreach(is, more, unused) {
		(void)unused;
		if (!may_differ(more) &&
		    !json_object_object_get_ex(was, more, NULL))
			sim_violate(sim, "I8", "all is undone, and %s of %s "
			    "is recorded, which was not", more, id);
	}
}

static bool
was_there(const struct sim *sim, const char *id)
{
	const struct model_pod *pod =
	    model_pod_find(sim->model, str_from(id));

	return pod != NULL && pod->number <= sim->deeds->before.npods;
}

static void
check_record_is_back(struct sim *sim)
{
	struct str text = stored_record(sim);
	json_tokener *tokener = json_tokener_new();
	json_object *old = json_tokener_parse(sim->deeds->before.lock);
	json_object *new = json_tokener_parse_ex(tokener, text.data,
	    (int)text.len);
	json_object *was = resources(old), *is = resources(new), *id;

	json_tokener_free(tokener);
	for (size_t i = 0; was != NULL && is != NULL &&
	     i < json_object_array_length(was); i++) {
		json_object *entry = json_object_array_get_idx(was, i);
		json_object_object_get_ex(entry, "id", &id);
		const char *name = json_object_get_string(id);
		const struct model_pod *pod =
		    model_pod_find(sim->model, str_from(name));
		json_object *now = entry_by_id(is, name);
		if (now != NULL)
			check_entry_is_back(sim, entry, now, name);
		else if (pod != NULL && model_pod_billed(pod))
			sim_violate(sim, "I8", "all is undone, and %s is "
			    "recorded no more", name);
	}
	for (size_t i = 0; was != NULL && is != NULL &&
	     i < json_object_array_length(is); i++) {
		json_object *entry = json_object_array_get_idx(is, i), *kind;
		json_object_object_get_ex(entry, "id", &id);
		json_object_object_get_ex(entry, "kind", &kind);
		/* What was there already may have been taken in. */
		if (strcmp(json_object_get_string(kind), "pod") == 0 &&
		    entry_by_id(was, json_object_get_string(id)) == NULL &&
		    !was_there(sim, json_object_get_string(id)))
			sim_violate(sim, "I8", "all is undone, and %s is "
			    "recorded", json_object_get_string(id));
	}
	json_object_put(old);
	json_object_put(new);
}

/* What somebody had just changed may have been seen as it was before that. */
static bool
may_be_stale(const struct sim *sim, const struct shadow *was)
{
	const struct model_faults *faults = model_get_faults(sim->model);
	bool stale = faults->per_mille[MODEL_POD_LIST][MODEL_STALE] > 0 ||
	    faults->per_mille[MODEL_POD_GET][MODEL_STALE] > 0;

	return stale && was->changed_ms > sim->begun_ms - LAGS_MS;
}

void
deeds_check_undone(struct sim *sim)
{
	const struct before *before = &sim->deeds->before;

	/* Others have done something meanwhile. */
	if (sim->late || sim->process != 1)
		return;
	for (size_t i = 0; i < model_pod_count(sim->model); i++) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		struct shadow is;
		shadow_take(&is, pod);
		if (i >= before->npods) {
			if (is.billed && !pod->by_console)
				sim_violate(sim, "I8", "all is undone, and "
				    STR_FMT " is there", STR_ARG(pod->id));
			continue;
		}
		const char *what = differ(&before->pods[i], &is);
		if (what != NULL && !may_be_stale(sim, &before->pods[i]))
			sim_violate(sim, "I8", "all is undone, and " STR_FMT
			    " is not as it was: %s", STR_ARG(pod->id), what);
	}
	if (before->lock != NULL)
		check_record_is_back(sim);
}
