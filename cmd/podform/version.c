/* version.c - podform version. */
#include "app.h"
#include "base/json.h"
#include "commands.h"
#include "lock/lock.h"
#include "ui/plan_json.h"

int
cmd_version(struct app *app)
{
	struct strbuf out = {0};

	if (app->options->json) {
		struct json_writer w = { .out = &out, .indent = 2 };
		json_begin(&w, '{');
		json_member_str(&w, "podform_version", STR(PODFORM_VERSION));
		json_member_str(&w, "plan_format_version", STR(PLAN_FORMAT));
		json_member_int(&w, "lock_version", LOCK_VERSION);
#if defined(__x86_64__)
		json_member_str(&w, "platform", STR("linux_amd64"));
#elif defined(__aarch64__)
		json_member_str(&w, "platform", STR("linux_arm64"));
#endif
		json_end(&w, '}');
		strbuf_addc(&out, '\n');
	} else {
		strbuf_adds(&out, "podform " PODFORM_VERSION "\n");
	}
	app_print(app, &out);
	return EXIT_OK;
}
