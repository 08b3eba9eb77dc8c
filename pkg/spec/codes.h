/*
 * codes.h - the stable codes of what can be wrong with a spec.
 *
 * A code never changes its meaning and is never used again for another.
 * docs/errors.md is made from the table in codes.c, together with that of
 * cmd/podform/error_codes.c for what is no mistake in a spec.
 */
#ifndef SPEC_CODES_H
#define SPEC_CODES_H

#define E_FILE		"PF0100"
#define E_SYNTAX	"PF0101"
#define E_CHARACTER	"PF0102"
#define E_UNKNOWN_FIELD	"PF0103"
#define E_DUPLICATE	"PF0104"
#define E_FEATURE	"PF0105"
#define E_DEPTH		"PF0106"
#define E_TOO_LARGE	"PF0107"
#define E_EMPTY		"PF0108"
#define E_TOO_MANY	"PF0109"
#define E_TYPE		"PF0110"
#define E_MISSING	"PF0111"
#define E_VALUE		"PF0112"
#define E_CHOICE	"PF0113"
#define E_LIST		"PF0114"
#define E_NAME		"PF0115"
#define E_TWICE		"PF0120"
#define E_REF_SYNTAX	"PF0121"
#define E_REF_UNKNOWN	"PF0122"
#define E_REF_PLACE	"PF0123"
#define E_CYCLE		"PF0124"
#define E_NO_TARGET	"PF0130"
#define E_CONTRADICTION	"PF0131"
#define E_PORT_TAKEN	"PF0132"
#define E_NO_SSH_PORT	"PF0133"
#define E_OUTSIDE	"PF0134"
#define E_FILE_REFUSED	"PF0135"
#define E_KEY_MODE	"PF0136"
#define W_EMPTY_FILE	"PF0137"

struct error_code {
	const char *code;
	const char *meaning;
	const char *way_out;
};

extern const struct error_code spec_codes[];	/* ends with a NULL code */

#endif
