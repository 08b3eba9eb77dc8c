/* spec_world.c - see spec_world.h */
#include "spec_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct str
environment(void *ctx, const char *name)
{
	(void)ctx;
	if (strcmp(name, "HOME") == 0)
		return STR("/home/u");
	if (strcmp(name, "REGION") == 0)
		return STR("EUROPE");
	if (strcmp(name, "TRICKY") == 0)
		return STR("${secret.KEY}");
	if (strcmp(name, "ESCAPE") == 0)
		return STR("\033[2J");
	return (struct str){0};
}

void
spec_world_init(struct spec_world *world)
{
	static const struct str paths[] = { STR_INIT("/p/specs") };

	*world = (struct spec_world){ .fake = fake_fs_new(1000) };
	world->fs = fake_fs_seam(world->fake);
	fake_fs_put_dir(world->fake, "/p", 0755);
	fake_fs_put_dir(world->fake, "/p/specs", 0755);
	world->sources.arena = &world->arena;
	world->diags.arena = &world->arena;
	world->diags.sources = &world->sources;
	world->options = (struct spec_options){ .fs = &world->fs,
		.paths = paths, .npaths = 1, .environment = environment };
}

void
spec_world_release(struct spec_world *world)
{
	assert_int_equal(fake_fs_open_handles(world->fake), 0);
	strbuf_release(&world->heads);
	strbuf_release(&world->whole);
	arena_release(&world->arena);
	fake_fs_free(world->fake);
}

void
spec_world_put(struct spec_world *world, const char *name, struct str text)
{
	struct str path = arena_printf(&world->arena, "/p/specs/%s", name);
	fake_fs_put(world->fake, path.data, text, 0644);
}

const struct spec *
spec_world_load(struct spec_world *world)
{
	world->spec = spec_load(&world->arena, &world->options,
	    &world->sources, &world->diags);
	assert_int_equal(world->spec == NULL, world->diags.errors > 0);
	return world->spec;
}

const char *
spec_world_heads(struct spec_world *world)
{
	struct strbuf *out = &world->heads;

	strbuf_reset(out);
	for (size_t i = 0; i < world->diags.list.n; i++) {
		const struct diag *diag = world->diags.list.items[i];
		struct str place = span_place(&world->arena,
		    &world->sources, diag->span, true);
		if (str_starts(place, STR("/p/specs/")))
			place = str_sub(place, 9, place.len);
		if (place.len > 0)
			strbuf_addf(out, STR_FMT ": ", STR_ARG(place));
		strbuf_adds(out, diag->severity == SEVERITY_ERROR
		    ? "error: " : "warning: ");
		strbuf_add_escaped(out, diag->message);
		strbuf_addf(out, " [%s]\n", diag->code);
	}
	return out->data != NULL ? out->data : "";
}

const char *
spec_world_text(struct spec_world *world)
{
	strbuf_reset(&world->whole);
	diags_print(&world->whole, &world->diags, (struct diag_style){0});
	return world->whole.data != NULL ? world->whole.data : "";
}

void
spec_says(struct str text, const char *heads)
{
	struct spec_world world;

	spec_world_init(&world);
	spec_world_put(&world, "a.yaml", text);
	spec_world_load(&world);
	const char *said = spec_world_heads(&world);
	if (strcmp(said, heads) != 0) {
		struct str shown = str_sub(text, 0, 300);
		fprintf(stderr, "--- of\n" STR_FMT "\n--- said\n%s--- not\n%s",
		    STR_ARG(shown), said, heads);
		fail();
	}
	/* Printing must cope with whatever is wrong. */
	spec_world_text(&world);
	spec_world_release(&world);
}

void
spec_pod_says(const char *fields, const char *heads)
{
	struct strbuf text = {0};

	strbuf_addf(&text, "project: t\n"
	    "secrets: { KEY: { env: KEY } }\n"
	    "pods:\n"
	    "  p:\n"
	    "    image: a:1\n"
	    "    gpu: A40\n"
	    "%s", fields);
	spec_says(strbuf_str(&text), heads);
	strbuf_release(&text);
}
