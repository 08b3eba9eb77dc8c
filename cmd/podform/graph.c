/* graph.c - podform graph: what has to be there before what. */
#include "app.h"
#include "base/json.h"
#include "commands.h"

static void
print_text(struct strbuf *out, const struct spec *spec)
{
	for (size_t i = 0; i < spec->nresources; i++) {
		const struct resource *r = &spec->resources[i];
		strbuf_add_escaped(out, r->address);
		strbuf_addc(out, '\n');
		for (size_t j = 0; j < r->nneeds; j++) {
			strbuf_adds(out, "  needs ");
			strbuf_add_escaped(out, r->needs[j]->address);
			strbuf_addc(out, '\n');
		}
	}
}

/* Addresses hold nothing that JSON quoting and DOT quoting see differently. */
static void
print_dot(struct strbuf *out, const struct spec *spec)
{
	strbuf_adds(out, "digraph podform {\n\trankdir = \"RL\"\n");
	for (size_t i = 0; i < spec->nresources; i++) {
		const struct resource *r = &spec->resources[i];
		strbuf_addc(out, '\t');
		strbuf_add_json(out, r->address);
		strbuf_adds(out, ";\n");
		for (size_t j = 0; j < r->nneeds; j++) {
			strbuf_addc(out, '\t');
			strbuf_add_json(out, r->address);
			strbuf_adds(out, " -> ");
			strbuf_add_json(out, r->needs[j]->address);
			strbuf_adds(out, ";\n");
		}
	}
	strbuf_adds(out, "}\n");
}

static void
print_json(struct strbuf *out, const struct spec *spec)
{
	struct json_writer w = { .out = out, .indent = 2 };

	json_begin(&w, '{');
	json_member_str(&w, "format_version", STR("1.0"));
	json_key(&w, "nodes");
	json_begin(&w, '[');
	for (size_t i = 0; i < spec->nresources; i++)
		json_put_str(&w, spec->resources[i].address);
	json_end(&w, ']');
	json_key(&w, "edges");
	json_begin(&w, '[');
	for (size_t i = 0; i < spec->nresources; i++)
		for (size_t j = 0; j < spec->resources[i].nneeds; j++) {
			json_begin_inline(&w, '{');
			json_member_str(&w, "from",
			    spec->resources[i].address);
			json_member_str(&w, "needs",
			    spec->resources[i].needs[j]->address);
			json_end(&w, '}');
		}
	json_end(&w, ']');
	json_end(&w, '}');
	strbuf_addc(out, '\n');
}

int
cmd_graph(struct app *app)
{
	bool dot = app->options->format == FORMAT_DOT && !app_json(app);
	const struct spec *spec;
	struct strbuf out = {0};

	if (!dot && !app_format_is_built(app))
		return EXIT_ERROR;
	spec = app_load_spec(app, false, NULL);
	if (spec == NULL)
		return EXIT_USAGE;
	if (app_json(app))
		print_json(&out, spec);
	else if (dot)
		print_dot(&out, spec);
	else
		print_text(&out, spec);
	app_print(app, &out);
	return EXIT_OK;
}
