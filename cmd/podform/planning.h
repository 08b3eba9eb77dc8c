/*
 * planning.h - what plan, apply, destroy, drift and why have in common:
 * from options to a plan, to its saved form, to what is shown, to whether
 * it may be carried out.
 */
#ifndef CMD_PLANNING_H
#define CMD_PLANNING_H

#include "app.h"
#include "ui/plan_json.h"

struct planning {
	struct app *app;
	enum plan_mode mode;
	const struct spec *spec;	/* NULL only when destroying */
	struct session session;
	bool open;			/* session is to be closed */
	struct session_plan_options options;
	const struct plan *plan;
};

/*
 * Load the spec, connect, open the session and read the secrets; the mode
 * comes from the options unless `destroy`.  EXIT_OK or the code to leave
 * with.  planning_close() is due in any case.
 */
int planning_open(struct planning *planning, struct app *app, bool destroy,
    const char *operation);
/* The same, as the one who may change the record. */
int planning_open_writer(struct planning *planning, struct app *app,
    const char *operation);
/* The same to apply it; asks: somebody is still to be asked whether to. */
int planning_open_to_apply(struct planning *planning, struct app *app,
    bool destroy, bool asks);
void planning_close(struct planning *planning);

/* What the plan was made from, for saving and for JSON. */
struct plan_binding planning_bind(const struct planning *planning);

/* Print the plan as the options say, on standard output. */
void planning_show(const struct planning *planning);

/*
 * EXIT_OK, or the code of the first failed check that no option allows,
 * each being reported.
 */
int planning_judge(const struct planning *planning);

/*
 * Give the spec of each pod that the plan enters (those that are made or
 * changed, and those of runners and tunnels) to ssh_world_load_keys() or
 * ssh_world_check_keys(); false once one of them has reported a key that
 * cannot be used.
 */
bool planning_keys(const struct planning *planning,
    bool (*take)(struct app *app, const struct pod_spec *want));

/* Would nothing be left of what is ours? */
bool planning_empties(const struct planning *planning);

#endif
