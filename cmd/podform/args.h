/*
 * args.h - from argv and the environment to a command, options, operands.
 *
 *	podform [OPTIONS] COMMAND [OPTIONS] [OPERANDS] [-- OPERANDS]
 *
 * Options may stand before and after the command.  `--flag=value` and
 * `--flag value` mean the same; some long options may be written with one
 * dash, as people do from habit.  PODFORM_ARGS and PODFORM_ARGS_<command>
 * hold words that are read before those of the command line;
 * PODFORM_<OPTION> sets an option that neither named.
 */
#ifndef CMD_ARGS_H
#define CMD_ARGS_H

#include "options.h"

struct command;

enum origin { ORIGIN_DEFAULT, ORIGIN_ENVIRONMENT, ORIGIN_ARGS, ORIGIN_LINE };

struct args {
	const struct command *command;	/* NULL: none was named */
	struct options options;
	VEC_OF(struct str) operands;
	bool dashes;			/* there was a `--` */
	size_t before_dashes;		/* how many operands came before it */
	enum origin *origins;		/* by index of options_table */
	bool version;			/* --version */
};

/* Value of a variable; unset gives an absent str. */
struct args_environment {
	void *ctx;
	struct str (*get)(void *ctx, const char *name);
};

/*
 * False when something was reported; what was understood until then is in
 * *args (so that --json is known).  argv[0] is skipped; argc may be 0.
 */
bool args_parse(struct arena *arena, int argc, char *const *argv,
    const struct args_environment *environment, struct args *args,
    struct diags *diags);

const char *args_origin_words(enum origin origin);

#endif
