/* cmd_world.c - see cmd_world.h */
#include "cmd_world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t
clock_now(void *ctx)
{
	return ((const struct cmd_world *)ctx)->now_ms;
}

/* All but what the tests themselves are told by. */
static void
empty_environment(void)
{
	static const char *const kept[] = { "CMOCKA_", "UPDATE=", "GCOV_",
		"ASAN_", "UBSAN_" };

	for (size_t i = 0; environ[i] != NULL;) {
		struct str ignored, entry = str_from(environ[i]);
		bool keep = false;
		for (size_t k = 0; k < COUNTOF(kept); k++)
			keep |= str_starts(entry, str_from(kept[k]));
		if (keep) {
			i++;
			continue;
		}
		struct str cut = str_cut(entry, '=', &ignored);
		char *name = strndup(cut.data, cut.len);
		unsetenv(name);
		free(name);
	}
}

void
cmd_world_environment(const char *const *variables)
{
	empty_environment();
	for (; *variables != NULL; variables++) {
		char *copy = strdup(*variables), *value = strchr(copy, '=');
		*value = '\0';
		setenv(copy, value + 1, 1);
		free(copy);
	}
}

void
cmd_world_init(struct cmd_world *world)
{
	static const char *const none[] = { NULL };
	struct app *app = &world->app;

	*world = (struct cmd_world){ .now_ms = INT64_C(1780315200000),
		.chance.state = 42 };
	cmd_world_environment(none);
	world->fake = fake_fs_new((uint32_t)geteuid());
	app->fs = fake_fs_seam(world->fake);
	app->chance = fake_chance_seam(&world->chance);
	app->clock = (struct clock){ .ctx = world, .wall_ms = clock_now,
		.mono_ms = clock_now };
	app->log_fd = -1;
	app->options = &app->args.options;
	options_init(&app->args.options);
	app->sources.arena = &app->arena;
	app->diags.arena = &app->arena;
	app->diags.sources = &app->sources;
}

void
cmd_world_release(struct cmd_world *world)
{
	fake_fs_free(world->fake);
	strbuf_release(&world->said);
	secret_release(&world->app.key);
	arena_release(&world->app.arena);
}

const char *
cmd_world_said(struct cmd_world *world)
{
	struct app *app = &world->app;

	strbuf_reset(&world->said);
	diags_print(&world->said, &app->diags,
	    (struct diag_style){ .width = 400 });
	app->diags = (struct diags){ .arena = &app->arena,
		.sources = &app->sources };
	return world->said.len > 0 ? world->said.data : "";
}
