/*
 * env.c - the values of an environment, filled in just before it is sent.
 *
 * The plan and the record hold references.  Secrets come from the caller;
 * outputs of other resources from the record, which is up to date with this
 * run, from what this run saw of a pod, and else from the listing that the
 * plan was made of.  The graph has those resources come first.
 */
#include "run/act.h"

struct filling {
	struct run *run;
	struct str reason;		/* what is not known */
};

/* What this run knows of the thing at an address, NULL if it is no part. */
static const struct subject *
subject_of(struct run *run, struct str address)
{
	if (run->subjects.n == 0)
		for (size_t i = 0; i < run->acts.n; i++) {
			struct act *act = run->acts.items[i];
			if (act->change != NULL && act->change->want != NULL)
				map_put(&run->subjects, run->arena,
				    act->change->address, act->subject);
		}
	return map_get(&run->subjects, address);
}

static const struct cloud_pod *
listed_pod(const struct run *run, struct str id)
{
	const struct live *live = run->plan->live;
	for (size_t i = 0; i < live->npods; i++)
		if (str_eq(live->pods[i].id, id))
			return &live->pods[i];
	return NULL;
}

/* pod.x is recorded as pod.x[0] until a run has renamed it, or reversely. */
static const struct lock_entry *
entry_of(struct run *run, struct str address)
{
	const struct lock_entry *entry = lock_find(run->lock, address);
	struct address parts;

	if (entry != NULL || !address_parse(address, &parts) || parts.key > 0)
		return entry;
	return lock_find(run->lock, address_format(run->arena, parts.kind,
	    parts.name, parts.key < 0 ? 0 : -1));
}

static struct str
ssh_output(struct run *run, struct str path, const struct ssh_endpoint *ssh)
{
	if (ssh->port == 0)
		return (struct str){0};
	if (str_is(path, "ssh.host"))
		return ssh->host;
	if (str_is(path, "ssh.user"))
		return ssh->user.len > 0 ? ssh->user : STR("root");
	if (str_is(path, "ssh.port"))
		return arena_printf(run->arena, "%u", ssh->port);
	return (struct str){0};
}

static struct str
volume_output(struct run *run, struct str path,
    const struct cloud_volume *volume)
{
	if (str_is(path, "name"))
		return volume->name;
	if (str_is(path, "data_center"))
		return volume->data_center;
	if (str_is(path, "size"))
		return arena_printf(run->arena, "%lld",
		    (long long)volume->size_gb);
	return (struct str){0};
}

static struct str
pod_output(struct run *run, struct str address, struct str path,
    const struct lock_entry *entry)
{
	const struct subject *subject = subject_of(run, address);

	if (str_is(path, "name"))
		return entry->pod.name;
	if (str_is(path, "gpu"))
		return entry->pod.gpu;
	if (str_is(path, "cost_per_hour"))
		return price_text(run->arena, entry->price_per_hour);
	if (str_is(path, "data_center") && entry->pod.data_center.len > 0)
		return entry->pod.data_center;
	const struct cloud_pod *pod = listed_pod(run, entry->id);
	if (str_is(path, "data_center"))
		return pod != NULL ? pod->config.data_center
				   : (struct str){0};
	if (subject != NULL && subject->ssh.port != 0)
		return ssh_output(run, path, &subject->ssh);
	return pod != NULL ? ssh_output(run, path, &pod->ssh)
			   : (struct str){0};
}

/* Tunnels are in no record: this run opened it, or the holder had it, or the
 * spec says it all. */
static struct str
tunnel_output(struct run *run, const struct resource *want, struct str path)
{
	const struct live *live = run->plan->live;
	const struct subject *subject = subject_of(run, want->address);
	unsigned port = (unsigned)want->tunnel->local_port;

	if (str_is(path, "local.host"))
		return want->tunnel->local_address;
	if (!str_is(path, "local.port"))
		return (struct str){0};
	if (port == 0 && subject != NULL)
		port = subject->tunnel_port;
	for (size_t i = 0; port == 0 && i < live->ntunnels; i++)
		if (str_eq(live->tunnels[i].config.address, want->address))
			port = live->tunnels[i].port;
	return port == 0 ? (struct str){0} : arena_printf(run->arena, "%u",
	    port);
}

static struct str
output(struct run *run, const struct text_part *part)
{
	const struct resource *want = run->plan->spec == NULL ? NULL :
	    spec_find(run->plan->spec, part->address);

	if (want != NULL && want->kind == KIND_TUNNEL)
		return tunnel_output(run, want, part->text);
	const struct lock_entry *entry = entry_of(run, part->address);

	if (entry == NULL)
		return (struct str){0};
	if (entry->kind == KIND_RUNNER)
		return str_is(part->text, "name") ? entry->runner.name :
		    (struct str){0};
	if (str_is(part->text, "id"))
		return entry->id;
	return entry->kind == KIND_VOLUME
	    ? volume_output(run, part->text, &entry->volume)
	    : pod_output(run, part->address, part->text, entry);
}

/* False, and *value is as it was, where nobody knows it. */
static bool
resolve(struct run *run, struct str reference, struct str *value)
{
	return run->options.resolve != NULL &&
	    run->options.resolve(run->options.resolve_ctx, run->arena,
		reference, value);
}

static struct str
lookup(void *ctx, const struct text_part *part)
{
	struct filling *filling = ctx;
	struct run *run = filling->run;
	struct str value = {0};

	if (part->type != PART_OUTPUT)
		return resolve(run, arena_printf(run->arena,
		    "${secret." STR_FMT "}", STR_ARG(part->text)), &value)
		    ? value
		    : (struct str){0};
	value = output(run, part);
	if (value.len > 0)
		return value;
	/* Empty is as good as unknown: nothing of ours is ever empty. */
	filling->reason = arena_printf(run->arena, STR_FMT "." STR_FMT
	    " is not known", STR_ARG(part->address), STR_ARG(part->text));
	return (struct str){0};
}

/* The text that the spec gives for a key, where it names outputs. */
static const struct text *
text_with_outputs(const struct act *act, struct str name)
{
	const struct pod_spec *spec = act->change->want->pod;

	for (size_t i = 0; i < spec->nenv; i++)
		if (str_eq(spec->env[i].name, name))
			return text_has(&spec->env[i].value, PART_OUTPUT)
			    ? &spec->env[i].value
			    : NULL;
	return NULL;
}

static bool
fill_one(struct run *run, struct act *act, struct env_var *var,
    struct str *reason)
{
	const struct text *text = text_with_outputs(act, var->name);
	struct filling filling = { .run = run };
	bool ok = true;

	if (text != NULL)
		ok = text_resolve(run->arena, text, lookup, &filling,
		    &var->value);
	else if (var->sensitive)
		ok = resolve(run, var->value, &var->value);
	*reason = filling.reason;
	return ok;
}

bool
run_fill_text(struct run *run, const struct text *text, struct str *value,
    struct str *reason)
{
	struct filling filling = { .run = run };
	bool ok = text_resolve(run->arena, text, lookup, &filling, value);

	*reason = filling.reason.len > 0 ? filling.reason
					 : STR("a secret has no value");
	return ok;
}

bool
act_fill_env(struct run *run, struct act *act)
{
	size_t n = act->config.nenv;
	struct env_var *env = ARENA_ARRAY(run->arena, struct env_var, n);

	for (size_t i = 0; i < n; i++) {
		struct str reason;
		env[i] = act->config.env[i];
		if (fill_one(run, act, &env[i], &reason))
			continue;
		act_fail(run, act, FAIL_ERROR, arena_printf(run->arena,
		    "the value of env " STR_FMT " is not known%s" STR_FMT,
		    STR_ARG(env[i].name),
		    reason.len > 0 ? ": " : "",
		    STR_ARG(reason)));
		return false;
	}
	act->config.env = env;
	return true;
}
