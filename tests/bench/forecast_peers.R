# What R's forecast package, and the formulas of rrdtool and Prometheus, forecast for one series.
#
#   Rscript forecast_peers.R SERIES DIR PEER...
#
# SERIES: lines of `seconds value` on a regular grid. Writes DIR/PEER: lines of
# `seconds steps q025 q10 q50 q90 q975` for 40 origins in the last 40 %, every step of an hour (of a
# day where the step is an hour), and prints PEER SECONDS_OF_CPU FORECASTS FAILED. A method that fails
# at an origin says what naive says there.
suppressPackageStartupMessages(library(forecast))
args <- commandArgs(TRUE)
series <- scan(args[1], list(0, 0), quiet = TRUE)
size <- mean(abs(series[[2]])) # some fits fail on values of many digits
if (size == 0) size <- 1
y <- series[[2]] / size
step <- series[[1]][2] - series[[1]][1]
dir <- args[2]
day <- as.integer(86400 / step)
H <- if (step >= 3600) 24L else as.integer(3600 / step)
n <- length(y)
start <- as.integer(.6 * n)
origins <- start + (0:39) * ((n - H - start) %/% 40)
p <- c(.025, .1, .5, .9, .975)
z <- qnorm(p)

# The last `days` of what is known at origin o (0-based), with the day as the season.
known <- function(o, days, seasonal = TRUE) {
    w <- y[max(1, o + 1 - days * day + 1):(o + 1)]
    if (seasonal) ts(w, frequency = day) else ts(w)
}
normal <- function(mean, sd) t(sapply(seq_along(mean), function(h) mean[h] + z * sd[h]))
from_forecast <- function(f) {
    at <- match(two, f$level)
    lower <- as.matrix(f$lower)
    upper <- as.matrix(f$upper)
    cbind(lower[, at[2]], lower[, at[1]], f$mean, upper[, at[1]], upper[, at[2]])
}
two <- c(80, 95)

holt_winters_rrd <- function(w, alpha, beta, gamma) {
    a <- w[1]; b <- 0; s <- rep(0, day); dev <- rep(0, day)
    for (i in seq_along(w)) {
        k <- (i - 1) %% day + 1
        fit <- a + b + s[k]
        dev[k] <- gamma * abs(w[i] - fit) + (1 - gamma) * dev[k]
        before <- a
        a <- alpha * (w[i] - s[k]) + (1 - alpha) * (a + b)
        b <- beta * (a - before) + (1 - beta) * b
        s[k] <- gamma * (w[i] - a) + (1 - gamma) * s[k]
    }
    k <- (length(w) + seq_len(H) - 1) %% day + 1
    normal(a + b * seq_len(H) + s[k], 1.25 * dev[k])
}
double_exponential <- function(w, sf, tf) {
    s <- w[1]; b <- w[2] - w[1]; e <- 0
    for (i in 2:length(w)) {
        e <- e + (w[i] - s - b)^2
        x <- sf * w[i] + (1 - sf) * (s + b)
        b <- tf * (x - s) + (1 - tf) * b
        s <- x
    }
    normal(s + b * seq_len(H), sqrt(e / (length(w) - 1)) * sqrt(seq_len(H)))
}
predict_linear <- function(o, hours) {
    m <- max(3, as.integer(hours * 3600 / step) + 1)
    w <- y[max(1, o + 2 - m):(o + 1)]
    x <- seq_along(w)
    f <- predict(lm(w ~ x), data.frame(x = length(w) + seq_len(H)), se.fit = TRUE)
    normal(f$fit, sqrt(f$se.fit^2 + f$residual.scale^2))
}

tbats_model <- NULL
peers <- list(
    naive = function(o) {
        w <- known(o, 14)
        normal(rep(y[o + 1], H), sqrt(mean(diff(w)^2)) * sqrt(seq_len(H)))
    },
    snaive = function(o) from_forecast(snaive(known(o, 14), h = H, level = two)),
    thetaf = function(o) from_forecast(thetaf(known(o, 14), h = H, level = two)),
    ets = function(o) from_forecast(forecast(ets(known(o, 3, FALSE)), h = H, level = two)),
    auto.arima = function(o)
        from_forecast(forecast(auto.arima(known(o, 3, FALSE)), h = H, level = two)),
    stlf = function(o) {
        w <- known(o, 14)
        if (length(w) >= 2 * 7 * day) w <- msts(w, c(day, 7 * day))
        from_forecast(stlf(w, h = H, level = two))
    },
    fourier.arima = function(o) {
        w <- known(o, 14)
        K <- min(6, day %/% 2 - 1)
        fit <- tryCatch(Arima(w, order = c(3, 0, 1), xreg = fourier(w, K), method = "CSS-ML"),
            error = function(e) Arima(w, order = c(3, 0, 1), xreg = fourier(w, K), method = "CSS"))
        from_forecast(forecast(fit, xreg = fourier(w, K, H), level = two))
    },
    tbats = function(o) {
        w <- known(o, 14)
        if (is.null(tbats_model)) tbats_model <<- tbats(w, use.parallel = FALSE)
        from_forecast(forecast(tbats(w, model = tbats_model), h = H, level = two))
    },
    rrdtool = function(o) holt_winters_rrd(known(o, 14, FALSE), .1, .0035, .1),
    prometheus = function(o) double_exponential(known(o, 1, FALSE), .5, .5),
    linear.30m = function(o) predict_linear(o, .5),
    linear.1h = function(o) predict_linear(o, 1),
    linear.4h = function(o) predict_linear(o, 4)
)

for (name in args[-(1:2)]) {
    seconds <- 0
    failed <- 0
    lines <- character()
    for (o in origins) {
        seconds <- seconds + system.time(
            q <- tryCatch(suppressWarnings(peers[[name]](o)), error = function(e) NULL))[["user.self"]]
        if (is.null(q) || any(!is.finite(q))) {
            failed <- failed + 1
            q <- peers$naive(o)
        }
        q <- q * size
        lines <- c(lines, sprintf("%.0f %d %.9g %.9g %.9g %.9g %.9g", series[[1]][o + 1],
            seq_len(H), q[, 1], q[, 2], q[, 3], q[, 4], q[, 5]))
    }
    writeLines(lines, file.path(dir, name))
    cat(name, seconds, length(origins), failed, "\n")
}
