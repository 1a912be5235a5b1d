#include "unit/tap.h"

#include "core/base.h"
#include "core/rng.h"
#include "model/stats.h"

int main(void)
{
    const double five[] = {1, 2, 3, 4, 10};
    is_near(sdw_quantile_sorted(five, 5, 0.5), 3, 0, "the median of five values is the third");
    is_near(sdw_quantile_sorted(five, 5, 0.9), 7.6, 1e-12, "quantiles interpolate as R's type 7");
    is_near(sdw_quantile_sorted(five, 5, 1), 10, 0, "quantile 1 is the greatest value");
    is_near(sdw_quantile_sorted(five, 5, 0), 1, 0, "quantile 0 is the least value");
    is_near(sdw_quantile_sorted(five, 1, 0.3), 1, 0, "one value is all its quantiles");
    ok(isnan(sdw_quantile_sorted(five, 0, 0.5)), "no value has no quantile");

    double mixed[] = {9, 1, 5, 3};
    is_near(sdw_median(mixed, 4), 4, 0, "an even median lies half way");

    is_near(sdw_unlog1p(log1p(3.7), 100), 370, 1e-9, "unlog1p undoes log1p");

    double cluster[100];
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 5);
    for (size_t i = 0; i < 100; i++)
        cluster[i] = i < 60 ? 7 + 0.01 * sdw_rng_normal(&rng) : 8 + 20 * sdw_rng_unit(&rng);
    sdw_sort_reals(cluster, 100);
    is_near(sdw_half_sample_mode(cluster, 100), 7, 0.02, "the mode stands 40 %% of contamination");
    ok(isnan(sdw_half_sample_mode(cluster, 0)), "no value has no mode");

    is_near(sdw_student_quantile(0.975, 10), 2.228138852, 1e-7, "Student quantile, 10 degrees");
    is_near(sdw_student_quantile(0.95, 1), 6.313751515, 1e-6, "Student quantile, 1 degree");
    is_near(sdw_student_quantile(0.05, 29), -1.699127027, 1e-7, "Student quantile, left side");
    is_near(sdw_student_quantile(0.975, 1e6), 1.95996635682, 1e-6,
            "Student nears the normal with many degrees");
    ok(isnan(sdw_student_quantile(1.5, 3)), "a probability above 1 has no quantile");
    return tap_done();
}
