/*
 * digest.c - what a saved plan is bound to.
 *
 * The digests are over canonical text: one line for each value, its parts
 * separated by bytes that no value holds.  Prices, stock, addresses and ages
 * change by themselves and are not part of it; neither is any value that is
 * or was a secret.
 */
#include <sha256.h>

#include "plan/planner.h"

struct digest { SHA2_CTX sha; };

static void
put(struct digest *digest, struct str text)
{
	static const uint8_t end[1] = { 0 };

	SHA256Update(&digest->sha, (const uint8_t *)(text.data != NULL ?
	    text.data : ""), text.len);
	SHA256Update(&digest->sha, end, sizeof end);
}

static void
put_text(struct digest *digest, const char *text)
{
	put(digest, str_from(text));
}

static void
put_number(struct digest *digest, int64_t number)
{
	char text[24];
	size_t at = sizeof text;
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do
		text[--at] = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (number < 0)
		text[--at] = '-';
	put(digest, (struct str){ text + at, sizeof text - at });
}

static struct str
finish(struct arena *arena, struct digest *digest)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];

	SHA256End(&digest->sha, hex);
	return arena_printf(arena, "sha256:%s", hex);
}

/* ------------------------------------------------------------- a plan -- */

/* The same text may stand for another file than before. */
static void
put_inside(struct digest *digest, const struct plan_inside *inside,
    size_t nsteps)
{
	put_number(digest, inside->login);
	put_number(digest, inside->checks);
	put_number(digest, inside->process);
	put_number(digest, (int64_t)inside->first_step);
	for (size_t i = 0; inside->steps != NULL && i < nsteps; i++)
		put(digest, inside->steps[i]);
	put(digest, inside->process_digest);
}

static void
put_change(struct digest *digest, const struct plan_change *change)
{
	put_number(digest, change->op);
	put_number(digest, change->reason);
	put(digest, change->address);
	put(digest, change->have != NULL ? change->have->id :
	    change->pod != NULL ? change->pod->id : (struct str){0});
	if (change->orphan && change->runner != NULL)
		put_number(digest, change->runner->id);
	put(digest, change->package.version);
	put_number(digest, change->create_first);
	put_number(digest, change->start);
	put_number(digest, change->stop);
	put_number(digest, change->changes);
	for (size_t i = 0; i < change->attrs.n; i++) {
		const struct plan_attr *attr = &change->attrs.items[i];
		put(digest, attr->path);
		put(digest, attr->before);
		put(digest, attr->after);
		put_number(digest, attr->unknown);
	}
	put_inside(digest, &change->inside, change->kind == KIND_POD &&
	    change->want != NULL ? change->want->pod->nsetup : 0);
	/* In which order GPUs and tiers are tried is what was agreed to;
	 * which of them are in stock at the moment is not. */
	put_text(digest, "end");
}

struct str
plan_digest(struct arena *arena, const struct plan *plan)
{
	struct digest digest;

	SHA256Init(&digest.sha);
	put_text(&digest, "plan 1");
	put_number(&digest, plan->mode);
	put(&digest, id128_str(&plan->lock->lineage));
	put_number(&digest, plan->lock->serial);
	for (size_t i = 0; i < plan->changes.n; i++)
		put_change(&digest, &plan->changes.items[i]);
	for (size_t i = 0; i < plan->pending.n; i++)
		put(&digest, id128_str(&plan->pending.items[i].op->op));
	return finish(arena, &digest);
}

/* -------------------------------------------------------------- live --- */

/* Only keys whose value was applied in the open, or is nobody's secret. */
static void
put_env(struct digest *digest, const struct lock_entry *have,
    const struct pod_config *live)
{
	for (size_t i = 0; i < live->nenv; i++) {
		const struct env_var *var = &live->env[i];
		bool open = false;
		if (env_injected(var->name))
			continue;
		for (size_t j = 0; j < have->pod.nenv; j++)
			open |= str_eq(have->pod.env[j].name, var->name) &&
			    !have->pod.env[j].sensitive;
		put(digest, var->name);
		put(digest, open ? var->value : STR("?"));
	}
	put_text(digest, "end");
}

static void
put_pod(struct digest *digest, const struct lock_entry *have,
    const struct cloud_pod *pod)
{
	const struct pod_config *config = &pod->config;

	put_number(digest, pod->status);
	put(digest, config->name);
	put(digest, pod->mark);
	put(digest, config->image);
	put(digest, config->args);
	put(digest, config->gpu);
	put_number(digest, config->gpu_count);
	put_number(digest, config->tier);
	put(digest, config->data_center);
	put_number(digest, config->disk_gb);
	put(digest, config->volume_id);
	put(digest, config->volume_path);
	for (size_t i = 0; i < config->nports; i++)
		put(digest, config->ports[i]);
	put_env(digest, have, config);
}

static void
put_entry(struct digest *digest, const struct planner *p,
    const struct lock_entry *have)
{
	put(digest, have->id);
	if (have->kind == KIND_POD) {
		const struct cloud_pod *pod = map_get(&p->pods, have->id);
		if (pod != NULL && pod->status != POD_TERMINATED)
			put_pod(digest, have, pod);
		else
			put_text(digest, "gone");
	} else if (have->kind == KIND_VOLUME) {
		const struct cloud_volume *volume = map_get(&p->volumes,
		    have->id);
		put(digest, volume != NULL ? volume->name : STR("gone"));
		put(digest, volume != NULL ? volume->data_center :
		    (struct str){0});
		put_number(digest, volume != NULL ? volume->size_gb : 0);
	}
}

/* What we own, in the order of the lock; what is not ours may come and go. */
struct str
live_digest(struct arena *arena, const struct plan *plan)
{
	struct planner p = {
		.arena = arena, .lock = plan->lock, .live = plan->live,
	};
	struct digest digest;

	index_make(&p);
	SHA256Init(&digest.sha);
	put_text(&digest, "live 1");
	for (size_t i = 0; i < plan->lock->entries.n; i++)
		put_entry(&digest, &p, &plan->lock->entries.items[i]);
	for (size_t i = 0; i < plan->changes.n; i++)
		if (plan->changes.items[i].orphan &&
		    plan->changes.items[i].pod != NULL)
			put(&digest, plan->changes.items[i].pod->id);
		else if (plan->changes.items[i].orphan)
			put_number(&digest,
			    plan->changes.items[i].runner->id);
	return finish(arena, &digest);
}
