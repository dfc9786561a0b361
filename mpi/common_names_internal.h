/*
 * Names that very many people share, so that agreeing on one says less. A short list by hand: the simple stand-in for
 * frequencies counted from data, which belong to a trained model. Folded spelling. Threads: pure.
 */
#pragma once

#include "base/str.h"

bool common_family_name(struct str folded);
bool common_given_name(struct str folded);
