//! What is undefined is `None`: no sample, one value, all equal, not finite.

use byzlab_analysis::statistics::{Moments, order_statistics, quantile, quantile_min_n, student_t_quantile, wilson};

#[test]
fn undefined_is_none() {
    let one: Moments = [1.0].into_iter().collect();
    assert_eq!((Moments::default().mean(), one.variance(), one.interval(0.95)), (None, None, None));
    let two: Moments = [1.0, 1.0].into_iter().collect();
    for confidence in [0.0, 1.0, -1.0, f64::NAN] {
        assert_eq!(two.interval(confidence), None);
        assert_eq!(wilson(1, 2, confidence), None);
        assert_eq!(order_statistics(10, 0.5, confidence), None);
        assert_eq!(quantile_min_n(0.5, confidence), None);
    }
    assert!(two.interval(0.95).unwrap().half_width.abs() < f64::MIN_POSITIVE);
    assert_eq!((wilson(0, 0, 0.95), wilson(3, 2, 0.95)), (None, None));
    assert_eq!((quantile(&[], 0.5), quantile(&[1.0], f64::NAN)), (None, None));
    assert_eq!(student_t_quantile(0.975, f64::NAN), None);
    assert_eq!(student_t_quantile(1.0, 5.0), None);
    let nothing = order_statistics(0, 0.5, 0.95).unwrap();
    assert_eq!((nothing.lower_rank, nothing.upper_rank), (None, None));
}
