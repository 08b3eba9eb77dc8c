/* github.c - see github.h */
#include "github/github.h"

#include "github/github_decode.h"
#include "github/github_encode.h"

const struct github github_rest = {
	.encode = github_encode,
	.decode = github_decode,
};
