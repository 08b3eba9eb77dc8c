/*
 * env.c - the environment of a pod, compared key by key.
 *
 * Secrets are compared where they are and never built: not in the arena,
 * not in an attribute.  What an attribute shows of one is the reference of
 * the spec.  A live value that no record or spec accounts for is not shown
 * either: somebody may have typed a password into the console.
 */
#include <assert.h>

#include "plan/planner.h"

/* What the service and its images put into every pod. */
static const char *const injected[] = {
	"PUBLIC_KEY", "JUPYTER_PASSWORD", "CUDA_VERSION", "PYTORCH_VERSION",
	MARK_ENV,
};

bool
env_injected(struct str name)
{
	if (str_starts(name, STR("RUNPOD_")))
		return true;
	for (size_t i = 0; i < COUNTOF(injected); i++)
		if (str_is(name, injected[i]))
			return true;
	return false;
}

enum verdict { SAME, DIFFERENT, UNCLEAR };

static struct str
number_text(struct diff *d, int64_t value)
{
	return arena_printf(d->p->arena, "%lld", (long long)value);
}

/* Nothing is recorded of a tunnel: the spec says where it is, or, where its
 * port is automatic, the holder that has it. */
static struct str
tunnel_value(struct diff *d, const struct resource *want, struct str path)
{
	const struct live *live = d->p->live;

	if (str_is(path, "local.host"))
		return want->tunnel->local_address;
	assert(str_is(path, "local.port"));
	if (want->tunnel->local_port != 0)
		return number_text(d, want->tunnel->local_port);
	for (size_t i = 0; i < live->ntunnels; i++)
		if (live->tunnels[i].port != 0 && str_eq(
		    live->tunnels[i].config.address, want->address))
			return number_text(d, live->tunnels[i].port);
	return (struct str){0};
}

static struct str
volume_value(struct diff *d, const struct cloud_volume *volume,
    struct str path)
{
	if (str_is(path, "name"))
		return volume->name;
	if (str_is(path, "data_center"))
		return volume->data_center;
	assert(str_is(path, "size"));
	return number_text(d, volume->size_gb);
}

/* As a run fills it in: what is recorded goes before what is listed, for a
 * pod that is stopped may report none of it. */
static struct str
pod_value(struct diff *d, const struct lock_entry *have, struct str path)
{
	const struct cloud_pod *pod = map_get(&d->p->pods, have->id);

	if (str_is(path, "name"))
		return have->pod.name;
	if (str_is(path, "gpu"))
		return have->pod.gpu;
	if (str_is(path, "cost_per_hour"))
		return price_text(d->p->arena, have->price_per_hour);
	if (str_is(path, "data_center") && have->pod.data_center.len > 0)
		return have->pod.data_center;
	if (pod == NULL)
		return (struct str){0};
	if (str_is(path, "data_center"))
		return pod->config.data_center;
	if (pod->ssh.port == 0)
		return (struct str){0};
	if (str_is(path, "ssh.host"))
		return pod->ssh.host;
	if (str_is(path, "ssh.user"))
		return pod->ssh.user.len > 0 ? pod->ssh.user : STR("root");
	assert(str_is(path, "ssh.port"));
	return number_text(d, pod->ssh.port);
}

/* The value that a thing of ours offers to others, absent if not known; which
 * there are is checked with the spec. */
static struct str
output_value(struct diff *d, const struct text_part *part)
{
	const struct lock_entry *have = map_get(&d->p->entries,
	    part->address);
	const struct resource *want = spec_find(d->p->spec, part->address);

	if (want->kind == KIND_TUNNEL)
		return tunnel_value(d, want, part->text);
	if (have == NULL)
		return (struct str){0};
	if (have->kind == KIND_RUNNER) {
		assert(str_is(part->text, "name"));
		return have->runner.name;
	}
	if (str_is(part->text, "id"))
		return have->id;
	if (have->kind == KIND_VOLUME)
		return volume_value(d, &have->volume, part->text);
	return pod_value(d, have, part->text);
}

void
outputs_move(struct planner *p, const struct resource *want, unsigned which)
{
	map_put(&p->moved, p->arena, want->address,
	    (void *)(uintptr_t)which);
}

/* Is an output known only once this plan was carried out? */
static bool
output_moves(struct diff *d, const struct text_part *part)
{
	uintptr_t moved = (uintptr_t)map_get(&d->p->moved, part->address);

	return (moved & OUTPUTS_ALL) != 0 ||
	    ((moved & OUTPUTS_SSH) != 0 &&
		str_starts(part->text, STR("ssh."))) ||
	    ((moved & OUTPUTS_NAME) != 0 && str_is(part->text, "name"));
}

/* Compare what a text means today with a live value, piece by piece. */
static enum verdict
text_against(struct diff *d, const struct text *text, struct str live)
{
	const struct plan_options *options = d->p->options;

	if (text->nparts == 0)
		return str_eq(text->raw, live) ? SAME : DIFFERENT;
	for (size_t i = 0; i < text->nparts; i++) {
		const struct text_part *part = &text->parts[i];
		struct str piece = part->text;
		if (part->type == PART_SECRET)
			piece = options->secret != NULL ?
			    options->secret(options->secret_ctx, part->text) :
			    (struct str){0};
		else if (part->type == PART_OUTPUT && output_moves(d, part))
			return DIFFERENT;
		else if (part->type == PART_OUTPUT)
			piece = output_value(d, part);
		/* Nothing that we name is empty: then it is not known. */
		if (piece.data == NULL ||
		    (piece.len == 0 && part->type == PART_OUTPUT))
			return UNCLEAR;
		if (!str_starts(live, piece))
			return DIFFERENT;
		live = str_sub(live, piece.len, live.len);
	}
	return live.len == 0 ? SAME : DIFFERENT;
}

/* One key; each side may lack it. */
struct key {
	struct str name;
	const struct spec_env *wanted;
	const struct env_var *recorded, *live;
};

static struct str
shown(struct diff *d, const struct env_var *var)
{
	struct strbuf out = {0};
	if (var == NULL)
		return (struct str){0};
	strbuf_add_json(&out, var->value);
	struct str text = arena_str(d->p->arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

static struct str
shown_raw(struct diff *d, struct str raw)
{
	return shown(d, &(struct env_var){ .value = raw });
}

/* What may be shown of a live value; see the head of this file. */
static struct str
shown_live(struct diff *d, const struct key *key, bool *hidden)
{
	const struct env_var *recorded = key->recorded;

	*hidden = false;
	if (key->live == NULL)
		return (struct str){0};
	if (recorded != NULL && str_eq(recorded->value, key->live->value))
		return shown(d, recorded);
	*hidden = recorded == NULL || recorded->sensitive;
	if (!*hidden)
		return shown(d, key->live);
	return recorded != NULL ? shown(d, recorded) : STR("\"\"");
}

static bool
key_sensitive(const struct key *key)
{
	return (key->wanted != NULL &&
	    text_has(&key->wanted->value, PART_SECRET)) ||
	    (key->recorded != NULL && key->recorded->sensitive);
}

/* recorded != live, as far as the record can say. */
static bool
key_drifts(const struct key *key)
{
	if (key->recorded == NULL)
		return key->live != NULL;
	if (key->live == NULL)
		return true;
	/* References: a changed value of a secret is the user's doing, and
	 * an output follows what it names. */
	if (key->recorded->sensitive || (key->wanted != NULL &&
	    key->wanted->value.nparts > 0))
		return false;
	return !str_eq(key->recorded->value, key->live->value);
}

static void
key_compare(struct diff *d, const struct key *key, struct difference *found)
{
	enum verdict verdict = UNCLEAR;

	found->edit = key->wanted == NULL ? key->recorded != NULL :
	    key->recorded == NULL ||
	    !str_eq(key->wanted->value.raw, key->recorded->value);
	found->drift = key_drifts(key);
	if (key->wanted == NULL)
		verdict = key->live == NULL ? SAME : DIFFERENT;
	else if (key->live == NULL)
		verdict = DIFFERENT;
	else
		verdict = text_against(d, &key->wanted->value,
		    key->live->value);
	found->differs = verdict == DIFFERENT ||
	    (verdict == UNCLEAR && found->edit);
	/* The secret's value is another one today. */
	if (found->differs && !found->drift)
		found->edit = true;
}

static void
diff_key(struct diff *d, const struct key *key, bool blind)
{
	struct difference found = { .field = POD_FIELD_ENV };
	bool hidden = false;

	/* Of what the service injects, only what the user asked for counts;
	 * and its value is not reported among the user's own. */
	if (env_injected(key->name)) {
		if (key->wanted == NULL && key->recorded == NULL)
			return;
		blind = true;
	}
	key_compare(d, key, &found);
	if (blind) {
		found.edit = key->wanted == NULL ? key->recorded != NULL :
		    key->recorded == NULL || !str_eq(key->wanted->value.raw,
		    key->recorded->value);
		found.differs = found.edit;
		found.drift = false;
	}
	if (!found.edit && !found.drift) {
		d->change->unchanged += key->wanted != NULL;
		return;
	}
	found.path = arena_printf(d->p->arena, "env." STR_FMT,
	    STR_ARG(key->name));
	found.span = key->wanted != NULL ? key->wanted->value.span :
	    field_span(d, POD_FIELD_ENV);
	found.recorded = shown(d, key->recorded);
	found.live = blind ? found.recorded : shown_live(d, key, &hidden);
	if (key->wanted != NULL)
		found.wanted = shown_raw(d, key->wanted->value.raw);
	found.unknown = key->wanted != NULL &&
	    text_has(&key->wanted->value, PART_OUTPUT);
	found.sensitive = key_sensitive(key) || hidden;
	diff_note(d, &found);
}

void
diff_env(struct diff *d)
{
	const struct pod_spec *spec = d->spec;
	const struct pod_config *recorded = &d->have->pod;
	bool blind = d->p->live->from_lock;
	const struct pod_config *live = blind ? recorded : &d->pod->config;
	size_t w = 0, r = 0, l = 0;

	blind |= drift_ignored(spec, STR("env"));
	while (w < spec->nenv || r < recorded->nenv || l < live->nenv) {
		struct key key = {0};
		/* The smallest name that is left in any of the three. */
		if (w < spec->nenv)
			key.name = spec->env[w].name;
		if (r < recorded->nenv && (key.name.data == NULL ||
		    str_cmp(recorded->env[r].name, key.name) < 0))
			key.name = recorded->env[r].name;
		if (l < live->nenv && (key.name.data == NULL ||
		    str_cmp(live->env[l].name, key.name) < 0))
			key.name = live->env[l].name;
		if (w < spec->nenv && str_eq(spec->env[w].name, key.name))
			key.wanted = &spec->env[w++];
		if (r < recorded->nenv &&
		    str_eq(recorded->env[r].name, key.name))
			key.recorded = &recorded->env[r++];
		if (l < live->nenv && str_eq(live->env[l].name, key.name))
			key.live = &live->env[l++];
		if (blind)
			key.live = key.recorded;
		diff_key(d, &key, blind);
	}
}
