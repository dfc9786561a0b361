/* What is measured of a model and of the index, shown alike whether the daemon's or of files. Rows: cmd_model.c. */
#pragma once

#include "commands.h"

enum cli_exit cli_model_blocking(struct cli_run *run);
enum cli_exit cli_model_calibrate(struct cli_run *run);

void cli_show_blocking(struct cli_show *show, const Idem__Admin__V1__Blocking *blocking);
void cli_show_calibration(struct cli_show *show, const Idem__Admin__V1__Calibration *calibration);
void cli_show_training(struct cli_show *show, const Idem__Admin__V1__Training *training);
