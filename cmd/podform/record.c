/* record.c - see record.h */
#include "record.h"

#include "base/units.h"
#include "ui/words.h"

struct str
record_state(const struct lock_entry *entry)
{
	if (entry->deposed)
		return STR("deposed");
	if (entry->tainted)
		return STR("tainted");
	if (entry->kind == KIND_VOLUME)
		return STR("kept");
	if (entry->kind == KIND_RUNNER)
		return STR("registered");
	return entry->stopped ? STR("stopped") : STR("running");
}

/* Values of variables that hold secrets are references already. */
static void
put_env(struct json_writer *w, const struct pod_config *pod)
{
	json_key(w, "env");
	json_begin(w, '{');
	for (size_t i = 0; i < pod->nenv; i++) {
		json_key_str(w, pod->env[i].name);
		json_put_str(w, pod->env[i].value);
	}
	json_end(w, '}');
}

static void
put_pod(struct json_writer *w, const struct pod_config *pod)
{
	json_member_str(w, "name", pod->name);
	json_member_str(w, "image", pod->image);
	json_member_str(w, "args", pod->args);
	json_member_str(w, "gpu", pod->gpu);
	json_member_int(w, "gpu_count", pod->gpu_count);
	json_member_str(w, "cloud", str_from(words_tier(pod->tier)));
	json_member_str(w, "data_center", pod->data_center);
	json_member_int(w, "disk_gb", pod->disk_gb);
	json_member_str(w, "volume_id", pod->volume_id);
	json_member_str(w, "volume_path", pod->volume_path);
	json_key(w, "ports");
	json_begin_inline(w, '[');
	for (size_t i = 0; i < pod->nports; i++)
		json_put_str(w, pod->ports[i]);
	json_end(w, ']');
	put_env(w, pod);
}

static void
put_runner(struct json_writer *w, const struct lock_runner *runner)
{
	json_key(w, "runner");
	json_begin(w, '{');
	json_member_str(w, "name", runner->name);
	json_member_str(w, "repository", runner->repository);
	json_member_str(w, "organization", runner->organization);
	json_key(w, "labels");
	json_begin_inline(w, '[');
	for (size_t i = 0; i < runner->nlabels; i++)
		json_put_str(w, runner->labels[i]);
	json_end(w, ']');
	json_member_str(w, "group", runner->group);
	json_member_str(w, "version", runner->version);
	json_member_bool(w, "ephemeral", runner->ephemeral);
	json_member_str(w, "pod", runner->pod);
	json_member_str(w, "pod_id", runner->pod_id);
	json_end(w, '}');
}

void
record_json(struct json_writer *w, const struct lock_entry *entry)
{
	json_begin(w, '{');
	json_member_str(w, "address", entry->address);
	json_member_str(w, "kind", str_from(kind_name(entry->kind)));
	json_member_str(w, "id", entry->id);
	json_member_str(w, "state", record_state(entry));
	json_member_bool(w, "protect", entry->protect);
	json_member_str(w, "created_at", entry->created_at);
	if (entry->kind == KIND_POD) {
		json_member_usd(w, "price_per_hour",
		    entry->price_per_hour < 0 ? 0 : entry->price_per_hour);
		json_key(w, "pod");
		json_begin(w, '{');
		put_pod(w, &entry->pod);
		json_end(w, '}');
	} else if (entry->kind == KIND_VOLUME) {
		json_key(w, "volume");
		json_begin(w, '{');
		json_member_str(w, "name", entry->volume.name);
		json_member_int(w, "size_gb", entry->volume.size_gb);
		json_member_str(w, "data_center", entry->volume.data_center);
		json_end(w, '}');
	}
	if (entry->kind == KIND_RUNNER)
		put_runner(w, &entry->runner);
	json_end(w, '}');
}

static void
line(struct strbuf *out, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	strbuf_addf(out, "  %-12s ", name);
	strbuf_add_escaped(out, value);
	strbuf_addc(out, '\n');
}

static void
pod_lines(struct strbuf *out, struct arena *arena,
    const struct lock_entry *entry)
{
	const struct pod_config *pod = &entry->pod;

	line(out, "name", pod->name);
	line(out, "image", pod->image);
	line(out, "gpu", arena_printf(arena, "%lld x " STR_FMT,
	    (long long)pod->gpu_count, STR_ARG(entry->gpu_name.len > 0 ?
	    entry->gpu_name : pod->gpu)));
	line(out, "cloud", str_from(words_tier(pod->tier)));
	line(out, "data center", pod->data_center);
	line(out, "disk", arena_printf(arena, "%lldGB",
	    (long long)pod->disk_gb));
	line(out, "volume", pod->volume_id);
	for (size_t i = 0; i < pod->nports; i++)
		line(out, i == 0 ? "ports" : "", pod->ports[i]);
	for (size_t i = 0; i < pod->nenv; i++)
		line(out, i == 0 ? "env" : "", arena_printf(arena, STR_FMT
		    "=" STR_FMT, STR_ARG(pod->env[i].name),
		    STR_ARG(pod->env[i].value)));
	line(out, "host key", entry->inside.host_key);
	if (entry->inside.nsteps > 0)
		line(out, "setup", words_count(arena, entry->inside.nsteps,
		    "step"));
	if (entry->price_per_hour > 0)
		line(out, "price", arena_printf(arena, STR_FMT "/h",
		    STR_ARG(format_rate(arena, entry->price_per_hour))));
}

static void
runner_lines(struct strbuf *out, const struct lock_runner *runner)
{
	line(out, "name", runner->name);
	line(out, "repository", runner->repository);
	line(out, "organization", runner->organization);
	for (size_t i = 0; i < runner->nlabels; i++)
		line(out, i == 0 ? "labels" : "", runner->labels[i]);
	line(out, "group", runner->group);
	line(out, "version", runner->version);
	if (runner->ephemeral)
		line(out, "ephemeral", STR("true"));
	line(out, "pod", runner->pod);
}

void
record_text(struct strbuf *out, struct arena *arena,
    const struct lock_entry *entry, struct style style)
{
	style_add(out, style, PAINT_BOLD, entry->address);
	strbuf_addc(out, '\n');
	line(out, "id", entry->id);
	line(out, "state", record_state(entry));
	if (entry->protect)
		line(out, "protect", STR("true"));
	line(out, "created", entry->created_at);
	if (entry->kind == KIND_POD)
		pod_lines(out, arena, entry);
	if (entry->kind == KIND_VOLUME) {
		line(out, "name", entry->volume.name);
		line(out, "size", arena_printf(arena, "%lldGB",
		    (long long)entry->volume.size_gb));
		line(out, "data center", entry->volume.data_center);
	}
	if (entry->kind == KIND_RUNNER)
		runner_lines(out, &entry->runner);
}

struct lock_entry *
record_find(struct lock *lock, struct str address, struct diags *diags)
{
	struct arena *arena = diags->arena;
	struct lock_entry *entry;
	struct str *known, near, text = address;

	/* `trainer` is short for `pod.trainer`, as with --target. */
	if (str_find(text, '.') < 0)
		text = arena_printf(arena, "pod." STR_FMT, STR_ARG(text));
	entry = lock_find(lock, text);
	if (entry != NULL)
		return entry;
	known = ARENA_ARRAY(arena, struct str, lock->entries.n + 1);
	for (size_t i = 0; i < lock->entries.n; i++)
		known[i] = lock->entries.items[i].address;
	near = str_nearest(text, known, lock->entries.n);
	diag_error(diags, "PF0850", NO_SPAN, "there is no record of '" STR_FMT
	    "'%s" STR_FMT "%s", STR_ARG(address),
	    near.len > 0 ? "; did you mean '" : "", STR_ARG(near),
	    near.len > 0 ? "'?" : "");
	diag_hint(diags, "podform state list shows what there is");
	return NULL;
}
