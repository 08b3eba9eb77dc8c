/*
 * diff.c - one pod, compared three ways: wanted, recorded, live.
 *
 * wanted != recorded is an edit, recorded != live is drift, and only
 * wanted != live is something to do.  What is equal costs a comparison and
 * no memory.  The effect of each field is the field table's, so that the
 * plan, `explain` and the reference cannot disagree.
 */
#include "base/units.h"
#include "base/plant.h"
#include "plan/planner.h"

/* -------------------------------------------------------- JSON values -- */

static struct str
json_end_of(struct arena *arena, struct strbuf *text)
{
	struct str result = arena_str(arena, strbuf_str(text));
	strbuf_release(text);
	return result;
}

struct str
json_text_of(struct arena *arena, struct str text)
{
	struct strbuf out = {0};

	if (text.len == 0)
		return (struct str){0};
	strbuf_add_json(&out, text);
	return json_end_of(arena, &out);
}

struct str
json_int_of(struct arena *arena, int64_t number)
{
	return arena_printf(arena, "%lld", (long long)number);
}

/* A size is shown as the spec writes it; 0 is "not given". */
struct str
json_gb_of(struct arena *arena, int64_t gb)
{
	if (gb == 0)
		return (struct str){0};
	return arena_printf(arena, "\"%lldGB\"", (long long)gb);
}

struct str
json_list_of(struct arena *arena, const struct str *items, size_t n)
{
	struct strbuf out = {0};

	strbuf_addc(&out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_addc(&out, ',');
		strbuf_add_json(&out, items[i]);
	}
	strbuf_addc(&out, ']');
	return json_end_of(arena, &out);
}

/* One as itself, several as a list: as people write them. */
struct str
json_choice_of(struct arena *arena, const struct str *items, size_t n)
{
	return n == 1 ? json_text_of(arena, items[0]) :
	    json_list_of(arena, items, n);
}

/* ----------------------------------------------------- a difference ---- */

bool
drift_ignored(const struct pod_spec *spec, struct str path)
{
	for (size_t i = 0; i < spec->nignore_drift; i++) {
		struct str name = spec->ignore_drift[i];
		/* `env` covers env.MODE, and `gpu` gpu.type. */
		if (str_starts(path, name) && (path.len == name.len ||
		    path.data[name.len] == '.'))
			return true;
	}
	return false;
}

const struct ack *
ack_find(const struct planner *p, struct str address, struct str path,
    struct str live)
{
	const struct lock *lock = p->lock;

	for (size_t i = 0; i < lock->acks.n; i++) {
		const struct ack *ack = &lock->acks.items[i];
		int64_t until = INT64_MAX;
		if (str_eq(ack->address, address) &&
		    str_eq(ack->path, path) && str_eq(ack->value, live) &&
		    (ack->until.len == 0 || parse_time(ack->until, &until)) &&
		    until > p->options->wall_ms)
			return ack;
	}
	return NULL;
}

static void
note_drift(struct diff *d, const struct difference *found,
    const struct ack *ack)
{
	struct plan_attr *attr = ARENA_PUSH(d->p->arena, &d->drift->attrs);

	*attr = (struct plan_attr){
		.path = found->path,
		.before = found->recorded,
		.after = found->live,
		.sensitive = found->sensitive,
		.effect = pod_fields[found->field].effect,
		.drift = true,
		.edit = found->edit,
		.span = found->span,
		.ack = ack,
	};
}

static void
note_change(struct diff *d, const struct difference *found)
{
	static const unsigned bits[POD_FIELD_COUNT] = {
		[POD_FIELD_NAME] = CHANGE_NAME,
		[POD_FIELD_IMAGE] = CHANGE_IMAGE,
		[POD_FIELD_ARGS] = CHANGE_ARGS,
		[POD_FIELD_DISK] = CHANGE_DISK,
		[POD_FIELD_PORTS] = CHANGE_PORTS,
		[POD_FIELD_ENV] = CHANGE_ENV,
	};
	struct plan_attr *attr = ARENA_PUSH(d->p->arena, &d->change->attrs);
	enum effect effect = pod_fields[found->field].effect;

	/* What cannot be sent in an update needs another pod, whatever the
	 * table says. */
	if (bits[found->field] == 0)
		effect = EFFECT_REPLACE;
	*attr = (struct plan_attr){
		.path = found->path,
		.before = found->live,
		.after = found->wanted,
		.sensitive = found->sensitive,
		.unknown = found->unknown,
		.effect = effect,
		.forces_replacement = effect == EFFECT_REPLACE,
		.edit = found->edit,
		.drift = found->drift,
		.span = found->span,
	};
	d->change->changes |= bits[found->field];
	d->change->restarts |= effect == EFFECT_RESTART;
	d->replaces |= effect == EFFECT_REPLACE;
	d->edited |= found->edit;
}

void
diff_note(struct diff *d, const struct difference *found)
{
	const struct ack *ack = NULL;

	if (found->drift) {
		/* What is not shown was not what somebody agreed to. */
		if (!found->edit && !found->sensitive)
			ack = ack_find(d->p, d->have->address, found->path,
			    found->live);
		note_drift(d, found, ack);
		if (d->drift->attrs.n == 1 || ack == NULL)
			d->drift->ack = ack;
	}
	if (ack != NULL)
		return;
	if (found->differs)
		note_change(d, found);
	else if (found->edit)
		d->agreed = true;
}

/* ------------------------------------------------------ typed fields --- */

/* Where the user wrote it; the pod itself where nothing was written. */
struct span
field_span(const struct diff *d, enum pod_field field)
{
	return d->spec->at[field];
}

static void
diff_text(struct diff *d, enum pod_field field, const char *path,
    struct str wanted, struct str recorded, struct str live)
{
	struct difference found = {
		.path = str_from(path), .field = field,
		.edit = !str_eq(wanted, recorded),
	};

	if (drift_ignored(d->spec, found.path))
		live = recorded;
	found.drift = !str_eq(recorded, live);
	found.differs = !str_eq(wanted, live);
	if (!found.edit && !found.drift) {
		d->change->unchanged += wanted.len > 0;
		return;
	}
	found.span = field_span(d, field);
	found.wanted = json_text_of(d->p->arena, wanted);
	found.recorded = json_text_of(d->p->arena, recorded);
	found.live = json_text_of(d->p->arena, live);
	diff_note(d, &found);
}

static void
diff_number(struct diff *d, enum pod_field field, const char *path,
    struct str (*json)(struct arena *arena, int64_t number), int64_t wanted,
    int64_t recorded, int64_t live)
{
	struct difference found = {
		.path = str_from(path), .field = field,
		.edit = wanted != recorded,
	};

	if (drift_ignored(d->spec, found.path))
		live = recorded;
	found.drift = recorded != live;
	found.differs = wanted != live;
	if (!found.edit && !found.drift) {
		d->change->unchanged++;
		return;
	}
	found.span = field_span(d, field);
	found.wanted = json(d->p->arena, wanted);
	found.recorded = json(d->p->arena, recorded);
	found.live = json(d->p->arena, live);
	diff_note(d, &found);
}

static bool
list_eq(const struct str *a, size_t na, const struct str *b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (!str_eq(a[i], b[i]))
			return false;
	return true;
}

static void
diff_ports(struct diff *d, const struct pod_config *live)
{
	const struct pod_spec *spec = d->spec;
	const struct pod_config *recorded = &d->have->pod;
	struct difference found = {
		.path = STR("ports"), .field = POD_FIELD_PORTS,
	};

	if (drift_ignored(spec, found.path))
		live = recorded;
	found.edit = !list_eq(spec->ports, spec->nports, recorded->ports,
	    recorded->nports);
	found.drift = !list_eq(recorded->ports, recorded->nports,
	    live->ports, live->nports);
	found.differs = !list_eq(spec->ports, spec->nports, live->ports,
	    live->nports);
	if (!found.edit && !found.drift) {
		d->change->unchanged++;
		return;
	}
	found.span = field_span(d, POD_FIELD_PORTS);
	found.wanted = json_list_of(d->p->arena, spec->ports, spec->nports);
	found.recorded = json_list_of(d->p->arena, recorded->ports,
	    recorded->nports);
	found.live = json_list_of(d->p->arena, live->ports, live->nports);
	diff_note(d, &found);
}

/* ---------------------------------------------- placement, once made ---- */

/*
 * The wanted GPUs are a list, and any of them will do.  A stopped pod may
 * report none: it gave its GPU back, and what it was made with counts.
 */
static void
diff_gpu(struct diff *d, const struct pod_config *live)
{
	const struct lock_entry *have = d->have;
	struct str id = live->gpu.len > 0 ? live->gpu : have->pod.gpu;
	struct str name = str_eq(id, have->pod.gpu) && have->gpu_name.len > 0 ?
	    have->gpu_name : gpu_name_of(d->p->live, id);
	struct difference found = {
		.path = STR("gpu.type"), .field = POD_FIELD_GPU,
	};

	if (drift_ignored(d->spec, found.path)) {
		id = have->pod.gpu;
		name = have->gpu_name;
	}
	found.edit = have->pod.gpu.len > 0 && !gpu_matches(d->spec,
	    have->pod.gpu, have->gpu_name.len > 0 ? have->gpu_name :
	    gpu_name_of(d->p->live, have->pod.gpu));
	found.drift = have->pod.gpu.len > 0 && !str_eq(have->pod.gpu, id);
	found.differs = id.len > 0 && !gpu_matches(d->spec, id, name);
	d->target->gpu = found.differs ? have->pod.gpu : id;
	if (!found.edit && !found.drift && !found.differs) {
		d->change->unchanged++;
		return;
	}
	d->agreed |= found.drift && !found.differs;
	found.span = field_span(d, POD_FIELD_GPU);
	found.wanted = json_choice_of(d->p->arena, d->spec->gpu,
	    d->spec->ngpu);
	found.recorded = json_text_of(d->p->arena, have->pod.gpu);
	found.live = json_text_of(d->p->arena, id);
	diff_note(d, &found);
}

/* A pod that says it has none has lost its GPU on the way: see check.c. */
static void
diff_gpu_count(struct diff *d, const struct pod_config *live)
{
	int64_t count = live->gpu_count > 0 ? live->gpu_count :
	    d->have->pod.gpu_count;
	diff_number(d, POD_FIELD_GPU_COUNT, "gpu_count", json_int_of,
	    d->spec->gpu_count, d->have->pod.gpu_count, count);
}

int
version_cmp(struct str a, struct str b)
{
	while (a.len > 0 || b.len > 0) {
		struct str one = str_cut(a, '.', &a), two = str_cut(b, '.', &b);
		while (one.len > 0 && one.data[0] == '0')
			one = str_sub(one, 1, one.len);
		while (two.len > 0 && two.data[0] == '0')
			two = str_sub(two, 1, two.len);
		if (one.len != two.len)
			return one.len < two.len ? -1 : 1;
		int order = str_cmp(one, two);
		if (order != 0)
			return order;
	}
	return 0;
}

/*
 * Asked for and never reported: only the record can be compared.  A lower
 * floor is met by the host that met the higher one.
 */
static void
diff_min_cuda(struct diff *d)
{
	struct str wanted = d->spec->min_cuda;
	struct str recorded = d->have->pod.min_cuda;

	d->target->min_cuda = recorded;
	if (version_cmp(wanted, recorded) <= 0) {
		d->change->unchanged += wanted.len > 0;
		return;
	}
	diff_text(d, POD_FIELD_MIN_CUDA, "min_cuda", wanted, recorded,
	    recorded);
}

static void
diff_tier(struct diff *d, const struct pod_config *live)
{
	enum cloud_tier recorded = d->have->pod.tier;
	bool told = live->tier != TIER_ANY &&
	    !drift_ignored(d->spec, STR("cloud"));
	enum cloud_tier tier = told ? live->tier : recorded;
	enum cloud_tier wanted = d->spec->tier;

	if (recorded == TIER_ANY)
		recorded = tier;
	if (wanted == TIER_ANY || tier == TIER_ANY)
		wanted = tier;
	d->target->tier = tier;
	diff_text(d, POD_FIELD_CLOUD, "cloud", str_from(tier_word(wanted)),
	    str_from(tier_word(recorded)), str_from(tier_word(tier)));
}

static bool
list_has(const struct str *items, size_t n, struct str item)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_fold(items[i], item))
			return true;
	return false;
}

struct str
region_of(const struct live *live, struct str data_center)
{
	for (size_t i = 0; i < live->ndata_centers; i++)
		if (str_eq(live->data_centers[i].id, data_center))
			return live->data_centers[i].region;
	return (struct str){0};
}

/* Is a place one of those that the spec allows?  Unknown ones are. */
static bool
place_allowed(struct diff *d, struct str place)
{
	const struct pod_spec *spec = d->spec;

	if (place.len == 0)
		return true;
	if (d->data_center.len > 0)
		return str_eq_fold(place, d->data_center);
	if (spec->ndata_centers > 0)
		return list_has(spec->data_centers, spec->ndata_centers,
		    place);
	if (spec->nregions == 0)
		return true;
	if (!d->p->live->catalog_known) {
		d->p->plan->needs_catalog = !d->p->live->from_lock;
		return true;
	}
	struct str region = region_of(d->p->live, place);
	return region.len == 0 ||
	    list_has(spec->regions, spec->nregions, region);
}

struct str
place_wanted(struct diff *d)
{
	const struct pod_spec *spec = d->spec;

	if (d->data_center.len > 0)
		return json_text_of(d->p->arena, d->data_center);
	if (spec->ndata_centers > 0)
		return json_choice_of(d->p->arena, spec->data_centers,
		    spec->ndata_centers);
	return json_choice_of(d->p->arena, spec->regions, spec->nregions);
}

static void
diff_place(struct diff *d, const struct pod_config *live)
{
	struct str recorded = d->have->pod.data_center;
	struct str place = live->data_center.len > 0 ? live->data_center :
	    recorded;
	bool by_list = d->spec->ndata_centers > 0 || d->spec->nregions == 0;
	struct difference found = {
		.path = by_list ? STR("data_centers") : STR("regions"),
		.field = by_list ? POD_FIELD_DATA_CENTERS : POD_FIELD_REGIONS,
	};

	if (drift_ignored(d->spec, STR("data_centers")))
		place = recorded;
	found.edit = !place_allowed(d, recorded);
	/* The cloud chose where nobody asked: that is no drift. */
	found.drift = recorded.len > 0 && !str_eq(recorded, place);
	found.differs = !place_allowed(d, place);
	d->target->data_center = place;
	if (!found.edit && !found.drift && !found.differs) {
		d->change->unchanged += place.len > 0;
		return;
	}
	d->agreed |= found.drift && !found.differs;
	found.span = field_span(d, found.field);
	found.wanted = place_wanted(d);
	found.recorded = json_text_of(d->p->arena, recorded);
	found.live = json_text_of(d->p->arena, place);
	diff_note(d, &found);
}

static void
diff_volume(struct diff *d, const struct pod_config *live)
{
	const struct pod_config *recorded = &d->have->pod;
	struct difference later = {
		.path = STR("network_volume.volume"),
		.field = POD_FIELD_NETWORK_VOLUME,
		.edit = true, .differs = true, .unknown = true,
	};

	if (!d->volume_later)
		diff_text(d, POD_FIELD_NETWORK_VOLUME,
		    "network_volume.volume", d->volume_id,
		    recorded->volume_id, live->volume_id);
	else {
		later.span = field_span(d, POD_FIELD_NETWORK_VOLUME);
		later.live = json_text_of(d->p->arena, live->volume_id);
		diff_note(d, &later);
	}
	diff_text(d, POD_FIELD_NETWORK_VOLUME, "network_volume.path",
	    d->spec->volume_path, recorded->volume_path, live->volume_path);
}

/* ------------------------------------------------------------- name ---- */

/*
 * Without a pattern the name is chosen once, at the create; afterwards it
 * is only brought back when somebody renames the pod.  A pattern is an edit
 * when its text changes, not when its date does.
 */
static void
diff_name(struct diff *d, const struct pod_config *live)
{
	const struct lock_entry *have = d->have;
	struct str base = config_name_of(have);
	struct str name = live->name;
	struct difference found = {
		.path = STR("name"), .field = POD_FIELD_NAME,
	};

	if (drift_ignored(d->spec, found.path))
		name = have->pod.name;
	found.edit = !str_eq(d->spec->name_pattern, have->name_pattern);
	found.drift = !str_eq(have->pod.name, name);
	found.differs = found.edit || found.drift;
	d->target->name = found.edit ? config_base_name(d->p, d->want) : base;
	if (!found.differs) {
		d->change->unchanged++;
		return;
	}
	found.span = field_span(d, POD_FIELD_NAME);
	found.wanted = json_text_of(d->p->arena, d->target->name);
	found.recorded = json_text_of(d->p->arena, base);
	found.live = found.drift ? json_text_of(d->p->arena, name) :
	    found.recorded;
	diff_note(d, &found);
}

/* -------------------------------------------------------- the whole ---- */

/* The recorded disk of a host: nobody can ask for it, so drift alone. */
static void
diff_persistent(struct diff *d, const struct pod_config *live)
{
	int64_t recorded = d->have->pod.persistent_gb;
	struct difference found = {
		.path = STR("persistent_disk"), .field = POD_FIELD_DISK,
		.drift = recorded > 0 && recorded != live->persistent_gb,
	};

	if (!found.drift)
		return;
	found.span = d->want->span;
	found.recorded = json_gb_of(d->p->arena, recorded);
	found.live = json_gb_of(d->p->arena, live->persistent_gb);
	diff_note(d, &found);
}

void
diff_pod(struct diff *d)
{
	const struct pod_config *recorded = &d->have->pod;
	const struct pod_config *live = d->p->live->from_lock ? recorded :
	    &d->pod->config;
	const struct pod_spec *spec = d->spec;

	diff_name(d, live);
	diff_text(d, POD_FIELD_IMAGE, "image", spec->image, recorded->image,
	    live->image);
	diff_text(d, POD_FIELD_ARGS, "args", spec->args, recorded->args,
	    live->args);
	diff_gpu(d, live);
	diff_gpu_count(d, live);
	diff_min_cuda(d);
	diff_tier(d, live);
	diff_place(d, live);
	diff_number(d, POD_FIELD_DISK, "disk", json_gb_of, spec->disk_gb,
	    recorded->disk_gb, live->disk_gb);
	diff_volume(d, live);
	diff_persistent(d, live);
	diff_ports(d, live);
	if (!PLANTED(26))
		diff_env(d);
}
