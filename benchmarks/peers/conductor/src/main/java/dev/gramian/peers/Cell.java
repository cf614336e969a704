package dev.gramian.peers;

/**
 * What came of one work by one peer.
 *
 * @param ms median time of a call, NaN where there is none
 * @param good turns that count
 * @param tried turns
 * @param disturbed no turn had the machine to itself, so that the time is only a hint
 * @param share largest error as a share of what is tolerated
 * @param why there is no time, or a remark
 */
record Cell(double ms, int good, int tried, boolean disturbed, double share, String why) {
    static final String LEFT_OUT = "left out: time is up";

    static Cell none(String why) {
        return new Cell(Double.NaN, 0, 0, false, Double.NaN, why);
    }

    boolean timed() {
        return !Double.isNaN(ms);
    }
}
