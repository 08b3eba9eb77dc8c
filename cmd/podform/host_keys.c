/* host_keys.c - see host_keys.h */
#include "host_keys.h"

#include <stdio.h>
#include <unistd.h>

#include "lock/workdir.h"
#include "run/target.h"
#include "ssh/known_hosts.h"
#include "ssh_world.h"

#define PATH ".podform/known_hosts"

struct keeping {
	const struct lock *lock;
	struct str pod;		/* its older containers are gone */
};

static bool
is_of_pod(struct str alias, struct str id)
{
	struct str rest = str_sub(alias, sizeof("podform-") - 1, alias.len);

	return str_starts(rest, id) &&
	    (rest.len == id.len || rest.data[id.len] == '-');
}

static bool
keep(void *ctx, struct str alias)
{
	const struct keeping *keeping = ctx;
	const struct lock *lock = keeping->lock;

	if (is_of_pod(alias, keeping->pod))
		return false;
	for (size_t i = 0; lock != NULL && i < lock->entries.n; i++)
		if (lock->entries.items[i].kind == KIND_POD &&
		    is_of_pod(alias, lock->entries.items[i].id))
			return true;
	return lock == NULL;
}

static struct str
read_all(struct app *app)
{
	struct str text = {0};

	if (fs_read_file(&app->fs, &app->arena, PATH, KNOWN_HOSTS_MAX, false,
	    &text) < 0)
		return (struct str){0};
	return text;
}

/* A new file beside it takes its place. */
void
host_keys_remember(struct app *app, const struct lock *lock,
    const struct ssh_target *target, struct str blob)
{
	struct keeping keeping = { lock, target->pod };
	struct diags quiet = { .arena = &app->arena };
	struct strbuf out = { .ceiling = KNOWN_HOSTS_MAX };
	struct str alias = target_alias(&app->arena, target->pod,
	    target->start), old;

	if (!workdir_open(&app->fs, &app->arena, ".podform",
	    (uint32_t)geteuid(), &quiet))
		return;
	old = read_all(app);
	if (known_hosts_put(&out, old, alias, blob, keep, &keeping) &&
	    !out.failed && !str_eq(strbuf_str(&out), old))
		fs_replace_file(&app->fs, &app->chance, PATH, strbuf_str(&out));
	strbuf_release(&out);
}

struct str
host_keys_seen(struct app *app, const struct ssh_target *target)
{
	struct str seen = {0};

	known_hosts_find(&app->arena, read_all(app), target_alias(&app->arena,
	    target->pod, target->start), &seen);
	return seen;
}

bool
host_keys_has(struct app *app, const struct ssh_target *target)
{
	struct str seen = host_keys_seen(app, target);

	for (size_t i = 0; i < target->npins; i++)
		if (str_eq(target->pins[i], seen))
			return true;
	/* Seen first in this container, and there is nothing better. */
	return target->npins == 0 && seen.data != NULL;
}

/* ----------------------------------------------------------------- scan -- */

static bool
no_key(struct app *app, struct str address, const struct ssh_target *target,
    int status)
{
	diag_error(&app->diags, "PF0864", NO_SPAN, "cannot read the host key "
	    "of " STR_FMT " at " STR_FMT " port %u", STR_ARG(address),
	    STR_ARG(target->host), target->port);
	diag_hint(&app->diags, status < 0 || status == 127 ?
	    "ssh-keyscan of OpenSSH is needed for that" :
	    "its SSH server does not answer, or offers neither ed25519 nor "
	    "ecdsa; podform logs may say why");
	return false;
}

static bool
wrong_key(struct app *app, struct str address,
    const struct ssh_target *target, struct str seen)
{
	diag_error(&app->diags, "PF0865", NO_SPAN, "the host key of " STR_FMT
	    " is not the right one: nothing was sent", STR_ARG(address));
	diag_hint(&app->diags, "it has " STR_FMT ", and " STR_FMT " is pinned "
	    "for this start of its container", STR_ARG(seen),
	    STR_ARG(target->pins[0]));
	ssh_world_hint(app, SSH_WRONG_HOST_KEY);
	return false;
}

bool
host_keys_ensure(struct app *app, const struct lock *lock, struct str address,
    const struct ssh_target *target, bool *first)
{
	enum { SCAN_MS = 20 * 1000, SCAN_MAX = 64 << 10 };
	/* Its standard error is chatter. */
	const char *argv[] = { "sh", "-c",
	    "exec ssh-keyscan \"$@\" 2>/dev/null", "sh", "-T", "10", "-t", "ed25519,ecdsa", "-p",
	    NULL, "--", NULL, NULL };
	struct str scan = {0}, blob, seen = {0};
	int status;

	*first = false;
	if (host_keys_has(app, target))
		return true;
	argv[9] = arena_printf(&app->arena, "%u", target->port).data;
	argv[11] = arena_cstr(&app->arena, target->host);
	status = app->world->run_command(app->world->ctx, &app->arena, argv,
	    SCAN_MS, SCAN_MAX, &scan);
	if (!known_hosts_choose(&app->arena, scan, target->pins,
	    target->npins, &blob, &seen))
		return seen.data != NULL ? wrong_key(app, address, target,
		    seen) : no_key(app, address, target, status);
	*first = target->npins == 0;
	host_keys_remember(app, lock, target, blob);
	return true;
}
