/* config.c - what the spec of a pod asks the cloud for */

#include "base/units.h"
#include "plan/planner.h"

/* `comfy-{date}-{n}` with the day of the plan and the replica's number. */
static struct str
name_render(struct planner *p, struct str pattern, int64_t key)
{
	struct strbuf out = { .ceiling = 4096 };
	struct str time = format_time(p->arena, p->options->wall_ms);

	while (pattern.len > 0) {
		if (str_starts(pattern, STR("{date}"))) {
			strbuf_add(&out, str_sub(time, 0, 4));
			strbuf_add(&out, str_sub(time, 5, 2));
			strbuf_add(&out, str_sub(time, 8, 2));
			pattern = str_sub(pattern, 6, pattern.len);
		} else if (str_starts(pattern, STR("{n}"))) {
			strbuf_addf(&out, "%lld", (long long)(key < 0 ? 0 :
			    key));
			pattern = str_sub(pattern, 3, pattern.len);
		} else {
			strbuf_addc(&out, pattern.data[0]);
			pattern = str_sub(pattern, 1, pattern.len);
		}
	}
	struct str name = arena_str(p->arena, strbuf_str(&out));
	strbuf_release(&out);
	return name;
}

struct str
config_base_name(struct planner *p, const struct resource *want)
{
	struct str pattern = want->pod->name_pattern;

	if (pattern.len > 0)
		return name_render(p, pattern, want->key);
	if (want->key < 0)
		return want->name;
	return arena_printf(p->arena, STR_FMT "-%lld", STR_ARG(want->name),
	    (long long)want->key);
}

struct str
config_name_of(const struct lock_entry *have)
{
	struct str name = have->pod.name;
	struct str base;
	struct mark mark;

	if (have->op.hex[0] != '\0' && mark_parse_name(name, &base, &mark) &&
	    str_starts(id128_str(&have->op), mark.op))
		return base;
	return name;
}

static void
config_env(struct planner *p, const struct pod_spec *spec,
    struct pod_config *out)
{
	out->nenv = spec->nenv;
	out->env = ARENA_ARRAY(p->arena, struct env_var, spec->nenv);
	for (size_t i = 0; i < spec->nenv; i++)
		out->env[i] = (struct env_var){
			.name = spec->env[i].name,
			.value = spec->env[i].value.raw,
			.sensitive = text_has(&spec->env[i].value,
			    PART_SECRET),
		};
}

void
config_wanted(struct diff *d, struct pod_config *out)
{
	const struct pod_spec *spec = d->spec;

	*out = (struct pod_config){
		.name = config_base_name(d->p, d->want),
		.image = spec->image,
		.args = spec->args,
		.gpu_count = spec->gpu_count,
		.min_cuda = spec->min_cuda,
		.tier = spec->tier,
		.disk_gb = spec->disk_gb,
		.volume_id = d->volume_id,
		.volume_path = spec->volume_path,
		.ports = spec->ports,
		.nports = spec->nports,
	};
	config_env(d->p, spec, out);
}

bool
config_has_ssh(const struct pod_config *config)
{
	for (size_t i = 0; i < config->nports; i++)
		if (str_is(config->ports[i], "22/tcp"))
			return true;
	return false;
}

const char *
tier_word(enum cloud_tier tier)
{
	static const char *const words[] = {
		[TIER_ANY] = "any", [TIER_SECURE] = "secure",
		[TIER_COMMUNITY] = "community",
	};
	return words[tier];
}

bool
gpu_matches(const struct pod_spec *spec, struct str id, struct str name)
{
	for (size_t i = 0; i < spec->ngpu; i++)
		if (str_eq_fold(spec->gpu[i], id) ||
		    (name.len > 0 && str_eq_fold(spec->gpu[i], name)))
			return true;
	return false;
}

struct str
gpu_name_of(const struct live *live, struct str id)
{
	if (live->catalog_known)
		for (size_t i = 0; i < live->ngpus; i++)
			if (str_eq(live->gpus[i].id, id))
				return live->gpus[i].name;
	return (struct str){0};
}
