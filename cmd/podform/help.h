/* help.h - help texts, made from the tables. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include "commands.h"
#include "ui/style.h"

/* Of one command; NULL: the overview. */
void help_print(struct strbuf *out, const struct command *command,
    struct style style);

/* docs/commands.md and docs/exit-codes.md, whole. */
void help_commands_page(struct strbuf *out);
void help_exit_codes_page(struct strbuf *out);

#endif
