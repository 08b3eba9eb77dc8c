/* host_keys.c - see host_keys.h */
#include "host_keys.h"

#include <stdio.h>
#include <unistd.h>

#include "lock/workdir.h"
#include "run/target.h"
#include "ssh/known_hosts.h"

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
static void
write_all(struct app *app, struct str text)
{
	const struct fs *fs = &app->fs;
	unsigned char chance[8];
	struct strbuf name = {0};
	int fd;

	app->chance.bytes(app->chance.ctx, chance, sizeof(chance));
	strbuf_adds(&name, PATH ".");
	for (size_t i = 0; i < sizeof(chance); i++)
		strbuf_addf(&name, "%02x", chance[i]);
	fd = fs->open(fs->ctx, name.data, FS_APPEND | FS_CREATE | FS_EXCLUSIVE,
	    0600);
	if (fd >= 0) {
		bool ok = fs_write_all(fs, fd, text) == 0;
		ok = fs->close(fs->ctx, fd) == 0 && ok;
		if (!ok || fs->rename(fs->ctx, name.data, PATH) != 0)
			fs->unlink(fs->ctx, name.data);
	}
	strbuf_release(&name);
}

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
		write_all(app, strbuf_str(&out));
	strbuf_release(&out);
}

bool
host_keys_has(struct app *app, const struct ssh_target *target)
{
	struct str seen;

	if (!known_hosts_find(&app->arena, read_all(app), target_alias(
	    &app->arena, target->pod, target->start), &seen))
		return false;
	for (size_t i = 0; i < target->npins; i++)
		if (str_eq(target->pins[i], seen))
			return true;
	/* Seen first in this container, and there is nothing better. */
	return target->npins == 0;
}
