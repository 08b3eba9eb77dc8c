/* target.c - see target.h */
#include "run/target.h"

#include "base/pins.h"
#include "base/strbuf.h"

/* ------------------------------------------------------------ addresses -- */

/* The address of the pod that a runner or tunnel is on; absent: unknown. */
static struct str
host_of(struct arena *arena, struct lock *lock, const struct spec *spec,
    const struct address *address, struct str text)
{
	const struct lock_entry *entry = lock_find(lock, text);
	const struct resource *resource;

	if (entry != NULL)
		return entry->runner.pod;	/* tunnels are not recorded */
	resource = spec != NULL ? spec_find(spec, text) : NULL;
	if (resource == NULL)
		return (struct str){0};
	if (address->kind == KIND_RUNNER)
		return address_format(arena, KIND_POD, resource->runner->pod,
		    resource->key);
	struct str pod = resource->tunnel->pod;
	return arena_printf(arena, "pod." STR_FMT, STR_ARG(pod));
}

/* The whole address of a pod for what somebody wrote; absent if reported. */
static struct str
pod_address(struct arena *arena, struct lock *lock, const struct spec *spec,
    struct str text, struct diags *diags)
{
	struct address address;
	struct str whole = text, host;

	if (str_find(text, '.') < 0)
		whole = arena_printf(arena, "pod." STR_FMT, STR_ARG(text));
	if (!address_parse(whole, &address)) {
		diag_error(diags, "PF0860", NO_SPAN, "'" STR_FMT "' is no "
		    "address", STR_ARG(text));
		diag_hint(diags, "addresses are like pod.trainer, trainer or "
		    "pod.trainer[1]; podform state list shows them");
		return (struct str){0};
	}
	if (address.kind == KIND_POD)
		return whole;
	if (address.kind == KIND_VOLUME) {
		diag_error(diags, "PF0860", NO_SPAN, STR_FMT " is a volume: "
		    "there is nothing to log in to", STR_ARG(whole));
		return (struct str){0};
	}
	host = host_of(arena, lock, spec, &address, whole);
	if (host.data == NULL) {
		diag_error(diags, "PF0860", NO_SPAN, "nobody knows which pod "
		    STR_FMT " is on: neither the lock nor the spec has it",
		    STR_ARG(whole));
		diag_hint(diags, "give the address of the pod");
	}
	return host;
}

/* Is entry a replica of the pod `pod.trainer`, which has no key? */
static bool
is_replica(const struct lock_entry *entry, struct str whole)
{
	return entry->kind == KIND_POD && !entry->deposed &&
	    entry->address.len > whole.len &&
	    str_starts(entry->address, whole) &&
	    entry->address.data[whole.len] == '[';
}

/* A runner or a tunnel that is called as the pod that is not there; absent:
 * none is. */
static struct str
namesake(struct arena *arena, struct lock *lock, const struct spec *spec,
    struct str whole)
{
	static const char *const kinds[] = { "runner", "tunnel" };
	struct str name = str_sub(whole, STR("pod.").len, whole.len);

	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		struct str address = arena_printf(arena, "%s." STR_FMT,
		    kinds[i], STR_ARG(name));
		if (lock_find(lock, address) != NULL ||
		    (spec != NULL && spec_find(spec, address) != NULL))
			return address;
	}
	return (struct str){0};
}

static void
report_unknown(struct arena *arena, struct lock *lock,
    const struct spec *spec, struct str whole, struct diags *diags)
{
	struct str other = namesake(arena, lock, spec, whole);
	struct str *known = ARENA_ARRAY(arena, struct str,
	    lock->entries.n + 1), near;
	size_t n = 0;

	for (size_t i = 0; i < lock->entries.n; i++)
		if (lock->entries.items[i].kind == KIND_POD &&
		    !lock->entries.items[i].deposed)
			known[n++] = lock->entries.items[i].address;
	near = other.len > 0 ? other : str_nearest(whole, known, n);
	diag_error(diags, "PF0850", NO_SPAN, "there is no record of '" STR_FMT
	    "'%s" STR_FMT "%s", STR_ARG(whole),
	    near.len > 0 ? "; did you mean '" : "", STR_ARG(near),
	    near.len > 0 ? "'?" : "");
	if (n == 0)
		diag_hint(diags, "there is no pod yet: podform apply makes "
		    "those of the spec");
	else
		diag_hint(diags, "podform state list shows what there is");
}

static size_t
replicas(struct arena *arena, struct lock *lock, struct str whole,
    const struct lock_entry ***out)
{
	size_t n = 0;

	*out = ARENA_ARRAY(arena, const struct lock_entry *,
	    lock->entries.n + 1);
	for (size_t i = 0; i < lock->entries.n; i++) {
		const struct lock_entry *entry = &lock->entries.items[i];
		if (whole.data == NULL ?
		    entry->kind == KIND_POD && !entry->deposed :
		    is_replica(entry, whole))
			(*out)[n++] = entry;
	}
	return n;
}

const struct lock_entry *
target_find(struct lock *lock, const struct spec *spec, struct str address,
    struct diags *diags)
{
	struct arena *arena = diags->arena;
	struct str whole = pod_address(arena, lock, spec, address, diags);
	const struct lock_entry *entry, **several;
	size_t n;

	if (whole.data == NULL)
		return NULL;
	entry = lock_find(lock, whole);
	if (entry != NULL)
		return entry;
	n = replicas(arena, lock, whole, &several);
	if (n == 1)
		return several[0];
	if (n == 0) {
		report_unknown(arena, lock, spec, whole, diags);
		return NULL;
	}
	diag_error(diags, "PF0860", NO_SPAN, STR_FMT " has %zu replicas: say "
	    "which", STR_ARG(whole), n);
	struct str one = several[0]->address;
	diag_hint(diags, "such as " STR_FMT
	    "; podform exec takes all of them with --all", STR_ARG(one));
	return NULL;
}

size_t
target_find_all(struct arena *arena, struct lock *lock,
    const struct spec *spec, struct str address,
    const struct lock_entry ***out, struct diags *diags)
{
	const struct lock_entry *one;
	struct str whole = {0};
	size_t n;

	if (address.data != NULL) {
		whole = pod_address(arena, lock, spec, address, diags);
		if (whole.data == NULL)
			return 0;
		one = lock_find(lock, whole);
		if (one != NULL) {
			*out = ARENA_ARRAY(arena, const struct lock_entry *,
			    1);
			**out = one;
			return 1;
		}
	}
	n = replicas(arena, lock, whole, out);
	if (n > 0)
		return n;
	if (whole.data != NULL)
		report_unknown(arena, lock, spec, whole, diags);
	else
		diag_error(diags, "PF0850", NO_SPAN, "there is no pod on "
		    "record");
	return 0;
}

const struct pod_spec *
target_spec(const struct spec *spec, const struct lock_entry *entry)
{
	const struct resource *resource = spec != NULL ?
	    spec_find(spec, entry->address) : NULL;

	return resource != NULL ? resource->pod : NULL;
}

/* --------------------------------------------------------------- usable -- */

static bool
maps_ssh(const struct cloud_pod *pod)
{
	for (size_t i = 0; i < pod->config.nports; i++)
		if (str_is(pod->config.ports[i], "22/tcp"))
			return true;
	return false;
}

static bool
refuse(const struct lock_entry *entry, struct diags *diags, const char *why,
    const char *hint)
{
	diag_error(diags, "PF0861", NO_SPAN, STR_FMT " (" STR_FMT ") %s",
	    STR_ARG(entry->address), STR_ARG(entry->id), why);
	diag_hint(diags, "%s", hint);
	return false;
}

bool
target_usable(const struct lock_entry *entry, const struct cloud_pod *pod,
    struct diags *diags)
{
	if (pod == NULL || pod->status == POD_TERMINATED)
		return refuse(entry, diags, "is gone",
		    "podform plan shows what an apply would do about it");
	if (!maps_ssh(pod))
		return refuse(entry, diags, "does not map port 22",
		    "add 22/tcp to its ports in the spec, and apply that");
	if (pod->status == POD_EXITED)
		return refuse(entry, diags, "is stopped",
		    "podform apply starts it if the spec wants it running");
	if (pod->status == POD_ERROR)
		return refuse(entry, diags, "has failed to start",
		    "podform logs shows what the system said about it");
	if (pod->ssh.port == 0 || pod->ssh.host.len == 0)
		return refuse(entry, diags, "is not ready: it has no address "
		    "for SSH yet", "podform status shows its state");
	return true;
}

/* ------------------------------------------------------------------ how -- */

bool
target_is_pinned(const struct lock_entry *entry, const struct cloud_pod *pod)
{
	const struct lock_inside *inside = &entry->inside;

	/* Where either time is not known the record is believed: another
	 * container has another key, and is told by it. */
	return inside->host_key.len > 0 && (inside->start.len == 0 ||
	    pod->started_at.len == 0 ||
	    str_eq(inside->start, pod->started_at));
}

enum target_pin
target_make(struct arena *arena, const struct lock_entry *entry,
    const struct cloud_pod *pod, const struct pod_spec *want, struct str key,
    const struct log_line *lines, size_t nlines, struct ssh_target *out)
{
	struct str *pins;

	*out = (struct ssh_target){
		.pod = pod->id, .start = pod->started_at,
		.host = pod->ssh.host, .port = pod->ssh.port,
		.user = want != NULL && want->ssh_user.len > 0 ?
		    want->ssh_user : pod->ssh.user,
		.key = key,
	};
	if (target_is_pinned(entry, pod)) {
		out->pins = &entry->inside.host_key;
		out->npins = 1;
		return TARGET_RECORDED;
	}
	out->npins = pins_of_log(arena, lines, nlines, pod->started_at,
	    &pins);
	out->pins = pins;
	return out->npins > 0 ? TARGET_LOGGED : TARGET_FIRST_USE;
}

struct str
target_alias(struct arena *arena, struct str pod_id, struct str start)
{
	enum { ID_MAX = 64, START_MAX = 40 };
	struct strbuf out = {0};
	struct str parts[] = { str_sub(pod_id, 0, ID_MAX),
		str_sub(start, 0, START_MAX) };

	strbuf_adds(&out, "podform");
	for (size_t i = 0; i < COUNTOF(parts); i++) {
		if (parts[i].len > 0)
			strbuf_addc(&out, '-');
		for (size_t k = 0; k < parts[i].len; k++) {
			char c = parts[i].data[k];
			if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') ||
			    (i == 0 && (c == '-' || c == '_')))
				strbuf_addc(&out, c);
		}
	}
	struct str alias = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return alias;
}
