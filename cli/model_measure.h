/* What is measured of a model and of the index, shown alike whether the daemon's or of files. Rows: cmd_model.c. */
#pragma once

#include "commands.h"

enum cli_exit cli_model_blocking(struct cli_run *run);
enum cli_exit cli_model_calibrate(struct cli_run *run);
enum cli_exit cli_model_propose(struct cli_run *run);
enum cli_exit cli_model_proposal(struct cli_run *run);

void cli_show_blocking(struct cli_show *show, const Idem__Admin__V1__Blocking *blocking);
void cli_show_calibration(struct cli_show *show, const Idem__Admin__V1__Calibration *calibration);
void cli_show_training(struct cli_show *show, const Idem__Admin__V1__Training *training);

struct eval_people;
/* `people`: of the files, whose ids are shown; NULL: numbers of the index. */
void cli_show_whatif(struct cli_run *run, const Idem__Admin__V1__WhatIfModelReply *told,
                     const struct eval_people *people);
/* A model's text into a file for its owner only, or for "-" to standard output. */
enum cli_exit cli_write_model(struct cli_run *run, const char *path, struct str text);
