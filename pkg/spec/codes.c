/* codes.c - the table of error codes; see codes.h */
#include "spec/codes.h"

const struct error_code spec_codes[] = {
	{ E_FILE, "A spec file or directory cannot be read.",
	  "Check the path given with `--spec` and its permissions." },
	{ E_SYNTAX, "The text is not YAML.",
	  "Look at the place shown and the lines before it: an open quote or "
	  "bracket, a tab, or a missing colon." },
	{ E_CHARACTER, "A character that must not be in a spec: not UTF-8, "
	  "invisible, or a control character; also when written as an escape.",
	  "Remove it, and save the file as UTF-8 with LF or CRLF line ends." },
	{ E_UNKNOWN_FIELD, "A field that does not exist there.",
	  "Follow the hint, or list the fields with `podform explain`." },
	{ E_DUPLICATE, "The same key twice in one mapping.",
	  "Keep one of the two lines named." },
	{ E_FEATURE, "YAML that a spec does not have: anchors, aliases, tags, "
	  "merge keys, several documents, keys that are no text.",
	  "Write values where they are used; what all pods share goes under "
	  "`defaults.pod`." },
	{ E_DEPTH, "Nested more than 32 levels deep.",
	  "Nothing in a spec needs that: look for brackets that are not "
	  "closed." },
	{ E_TOO_LARGE, "A file is too large.",
	  "Split a spec into several files; a secret or key has at most 1 "
	  "MiB." },
	{ E_EMPTY, "There is nothing in the spec.",
	  "An empty spec would mean to have nothing, and is refused so that "
	  "an accident ends nothing. To end everything, use `podform "
	  "destroy`." },
	{ E_TOO_MANY, "More than a hundred errors; reading stopped.",
	  "Repair the first ones and run it again." },
	{ E_TYPE, "A list, a mapping or a single value where another shape is "
	  "needed.",
	  "Follow the example." },
	{ E_MISSING, "A required field or a value is missing.",
	  "Add it, as in the example." },
	{ E_VALUE, "A value of the wrong form or out of range.",
	  "The message says what fits." },
	{ E_CHOICE, "Not one of the words that are possible.",
	  "Use one of those listed." },
	{ E_LIST, "A list with too many, too few or repeated items.",
	  "The message says how many fit." },
	{ E_NAME, "A name with letters that names cannot have.",
	  "Names of resources are lower-case letters, digits and `-`, at most "
	  "60; of variables and secrets letters, digits and `_`." },
	{ E_TWICE, "The same resource, or `project`, `settings` or "
	  "`defaults`, in two files.",
	  "Keep one of the two places named." },
	{ E_REF_SYNTAX, "Not a reference: `${` without a known form after it.",
	  "Forms are `${env.NAME}`, `${var.NAME}`, `${secret.NAME}` and "
	  "`${pod.NAME.OUTPUT}`. Write `$${` for a `${` that is meant for a "
	  "shell." },
	{ E_REF_UNKNOWN, "A reference to something that is not there.",
	  "Declare the secret, give the variable with `--var`, export the "
	  "environment variable, or correct the name." },
	{ E_REF_PLACE, "A reference where it cannot be used.",
	  "Secrets and outputs go into `env`, `setup`, `process` and checks." },
	{ E_CYCLE, "Pods that need each other in a ring.",
	  "Take one of the references away: none of the pods could be created "
	  "first." },
	{ E_NO_TARGET, "A pod or volume is named that is not in the spec.",
	  "Add it or correct the name." },
	{ E_CONTRADICTION, "Fields that exclude each other.",
	  "Keep one of them." },
	{ E_PORT_TAKEN, "Two tunnels with the same local end.",
	  "Give one of them another port, or `auto`." },
	{ E_NO_SSH_PORT, "Something needs SSH, and the pod does not "
	  "map port 22.",
	  "Add `22/tcp` to its ports." },
	{ E_OUTSIDE, "A path that leads out of the directory of the spec.",
	  "Put the file into the directory, or give an absolute path where "
	  "one is possible." },
	{ E_FILE_REFUSED, "A file that the spec names is no regular file or "
	  "cannot be reached.",
	  "Put a regular file there." },
	{ E_KEY_MODE, "A private key can be read by other users.",
	  "`chmod 600` it." },
	{ W_EMPTY_FILE, "Warning: one of several spec files is empty.",
	  "Remove the file if that is meant." },
	{ 0 }
};
