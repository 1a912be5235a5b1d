#include "net/dpi.h"

const char *const sdw_dpi_confidences[] = {"unknown", "port", "address", "cache",
                                           "payload", "user", NULL};
