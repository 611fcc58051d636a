;; The source of MODULE in simd-kernel.ts, made to bytes by wat2wasm of wabt 1.0.39.
;; Input lies at 0. swap2, swap4 and swap8 work in place; the others write from 65,536 on.
;; A swizzle by a constant and not a shuffle: V8 makes one pshufb of it on x64, and five instructions of a shuffle that
;; reverses (measured 55 and 27 GB/s in the first-level cache).
(module
  (memory (export "memory") 2)
  ;; Reverses every 2 bytes of the first $end, a multiple of 64 from 64 on.
  (func (export "swap2") (param $end i32) (local $at i32)
    (loop $next
      (v128.store (local.get $at)
        (i8x16.swizzle (v128.load (local.get $at)) (v128.const i8x16 1 0 3 2 5 4 7 6 9 8 11 10 13 12 15 14)))
      (v128.store offset=16 (local.get $at)
        (i8x16.swizzle (v128.load offset=16 (local.get $at)) (v128.const i8x16 1 0 3 2 5 4 7 6 9 8 11 10 13 12 15 14)))
      (v128.store offset=32 (local.get $at)
        (i8x16.swizzle (v128.load offset=32 (local.get $at)) (v128.const i8x16 1 0 3 2 5 4 7 6 9 8 11 10 13 12 15 14)))
      (v128.store offset=48 (local.get $at)
        (i8x16.swizzle (v128.load offset=48 (local.get $at)) (v128.const i8x16 1 0 3 2 5 4 7 6 9 8 11 10 13 12 15 14)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $end)))))
  ;; Reverses every 4 bytes of the first $end, a multiple of 64 from 64 on.
  (func (export "swap4") (param $end i32) (local $at i32)
    (loop $next
      (v128.store (local.get $at)
        (i8x16.swizzle (v128.load (local.get $at)) (v128.const i8x16 3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12)))
      (v128.store offset=16 (local.get $at)
        (i8x16.swizzle (v128.load offset=16 (local.get $at)) (v128.const i8x16 3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12)))
      (v128.store offset=32 (local.get $at)
        (i8x16.swizzle (v128.load offset=32 (local.get $at)) (v128.const i8x16 3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12)))
      (v128.store offset=48 (local.get $at)
        (i8x16.swizzle (v128.load offset=48 (local.get $at)) (v128.const i8x16 3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $end)))))
  ;; Reverses every 8 bytes of the first $end, a multiple of 64 from 64 on.
  (func (export "swap8") (param $end i32) (local $at i32)
    (loop $next
      (v128.store (local.get $at)
        (i8x16.swizzle (v128.load (local.get $at)) (v128.const i8x16 7 6 5 4 3 2 1 0 15 14 13 12 11 10 9 8)))
      (v128.store offset=16 (local.get $at)
        (i8x16.swizzle (v128.load offset=16 (local.get $at)) (v128.const i8x16 7 6 5 4 3 2 1 0 15 14 13 12 11 10 9 8)))
      (v128.store offset=32 (local.get $at)
        (i8x16.swizzle (v128.load offset=32 (local.get $at)) (v128.const i8x16 7 6 5 4 3 2 1 0 15 14 13 12 11 10 9 8)))
      (v128.store offset=48 (local.get $at)
        (i8x16.swizzle (v128.load offset=48 (local.get $at)) (v128.const i8x16 7 6 5 4 3 2 1 0 15 14 13 12 11 10 9 8)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $end)))))
  ;; The float16 in the first $end bytes, a multiple of 16 from 16 on, to float32 from 65,536 on: four low, four high.
  (func (export "widen") (param $end i32)
    (local $at i32) (local $to i32) (local $v v128) (local $w v128) (local $m v128) (local $n v128)
    (local $_0fffe000 v128) (local $_38000000 v128) (local $_00800000 v128) (local $_38800000 v128)
    (local $_0f7fffff v128)
    (local $_7f800000 v128) (local $_80000000 v128)
    (local.set $_0fffe000 (i32x4.splat (i32.const 0x0fffe000)))
    (local.set $_38000000 (i32x4.splat (i32.const 0x38000000)))
    (local.set $_00800000 (i32x4.splat (i32.const 0x00800000)))
    (local.set $_38800000 (i32x4.splat (i32.const 0x38800000)))
    (local.set $_0f7fffff (i32x4.splat (i32.const 0x0f7fffff)))
    (local.set $_7f800000 (i32x4.splat (i32.const 0x7f800000)))
    (local.set $_80000000 (i32x4.splat (i32.const 0x80000000)))
    (local.set $to (i32.const 65536))
    (loop $next
      (local.set $v (v128.load (local.get $at)))
      (local.set $w (i32x4.extend_low_i16x8_s (local.get $v)))
      ;; Exponent and fraction where a float32 has them, and the exponent's bias raised from 15 to 127.
      (local.set $m (v128.and (i32x4.shl (local.get $w) (i32.const 13)) (local.get $_0fffe000)))
      (local.set $n (i32x4.add (local.get $m) (local.get $_38000000)))
      (v128.store (local.get $to)
        (v128.or
          (v128.or
            (v128.bitselect
              ;; Subnormal: read as 2^-14 and more, from which 2^-14 is taken.
              (f32x4.sub
                (i32x4.add (local.get $n) (local.get $_00800000))
                (local.get $_38800000))
              (local.get $n)
              (i32x4.lt_s (local.get $m) (local.get $_00800000)))
            ;; Infinity and NaN: the largest exponent stays the largest.
            (v128.and
              (i32x4.gt_s (local.get $m) (local.get $_0f7fffff))
              (local.get $_7f800000)))
          (v128.and (local.get $w) (local.get $_80000000))))
      (local.set $w (i32x4.extend_high_i16x8_s (local.get $v)))
      (local.set $m (v128.and (i32x4.shl (local.get $w) (i32.const 13)) (local.get $_0fffe000)))
      (local.set $n (i32x4.add (local.get $m) (local.get $_38000000)))
      (v128.store offset=16 (local.get $to)
        (v128.or
          (v128.or
            (v128.bitselect
              (f32x4.sub
                (i32x4.add (local.get $n) (local.get $_00800000))
                (local.get $_38800000))
              (local.get $n)
              (i32x4.lt_s (local.get $m) (local.get $_00800000)))
            (v128.and
              (i32x4.gt_s (local.get $m) (local.get $_0f7fffff))
              (local.get $_7f800000)))
          (v128.and (local.get $w) (local.get $_80000000))))
      (local.set $to (i32.add (local.get $to) (i32.const 32)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end)))))
  ;; The float32 in the first $end bytes, a multiple of 32 from 32 on, to float16 from 65,536 on, ties to even.
  (func (export "narrow") (param $end i32)
    (local $at i32) (local $to i32) (local $w v128) (local $a v128) (local $x v128) (local $y v128)
    (local $_7fffffff v128) (local $_8000 v128) (local $_7c00 v128) (local $_7f800000 v128) (local $_0200 v128)
    (local $_3f000000 v128) (local $_c8000fff v128) (local $_1 v128) (local $_38800000 v128) (local $_477fefff v128)
    (local.set $_7fffffff (i32x4.splat (i32.const 0x7fffffff)))
    (local.set $_8000 (i32x4.splat (i32.const 0x8000)))
    (local.set $_7c00 (i32x4.splat (i32.const 0x7c00)))
    (local.set $_7f800000 (i32x4.splat (i32.const 0x7f800000)))
    (local.set $_0200 (i32x4.splat (i32.const 0x0200)))
    (local.set $_3f000000 (i32x4.splat (i32.const 0x3f000000)))
    (local.set $_c8000fff (i32x4.splat (i32.const 0xc8000fff)))
    (local.set $_1 (i32x4.splat (i32.const 1)))
    (local.set $_38800000 (i32x4.splat (i32.const 0x38800000)))
    (local.set $_477fefff (i32x4.splat (i32.const 0x477fefff)))
    (local.set $to (i32.const 65536))
    (loop $next
      (local.set $w (v128.load (local.get $at)))
      (local.set $a (v128.and (local.get $w) (local.get $_7fffffff)))
      (local.set $x
        (v128.or
          (v128.and (i32x4.shr_u (local.get $w) (i32.const 16)) (local.get $_8000))
          (v128.bitselect
            ;; From 65520 on all round to infinity; NaN is quiet and without a payload.
            (v128.or
              (local.get $_7c00)
              (v128.and (i32x4.gt_s (local.get $a) (local.get $_7f800000)) (local.get $_0200)))
            (v128.bitselect
              ;; Below 2^-14: a half is added, whose unit in the last place is that of subnormals, 2^-24.
              (i32x4.sub (f32x4.add (local.get $a) (local.get $_3f000000)) (local.get $_3f000000))
              ;; Half a unit less one, and one more where the unit before is odd; the exponent's bias from 127 to 15.
              (i32x4.shr_u
                (i32x4.add
                  (i32x4.add (local.get $a) (local.get $_c8000fff))
                  (v128.and (i32x4.shr_u (local.get $a) (i32.const 13)) (local.get $_1)))
                (i32.const 13))
              (i32x4.lt_s (local.get $a) (local.get $_38800000)))
            (i32x4.gt_s (local.get $a) (local.get $_477fefff)))))
      (local.set $w (v128.load offset=16 (local.get $at)))
      (local.set $a (v128.and (local.get $w) (local.get $_7fffffff)))
      (local.set $y
        (v128.or
          (v128.and (i32x4.shr_u (local.get $w) (i32.const 16)) (local.get $_8000))
          (v128.bitselect
            (v128.or
              (local.get $_7c00)
              (v128.and (i32x4.gt_s (local.get $a) (local.get $_7f800000)) (local.get $_0200)))
            (v128.bitselect
              (i32x4.sub (f32x4.add (local.get $a) (local.get $_3f000000)) (local.get $_3f000000))
              (i32x4.shr_u
                (i32x4.add
                  (i32x4.add (local.get $a) (local.get $_c8000fff))
                  (v128.and (i32x4.shr_u (local.get $a) (i32.const 13)) (local.get $_1)))
                (i32.const 13))
              (i32x4.lt_s (local.get $a) (local.get $_38800000)))
            (i32x4.gt_s (local.get $a) (local.get $_477fefff)))))
      (v128.store (local.get $to) (i16x8.narrow_i32x4_u (local.get $x) (local.get $y)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 32))) (local.get $end)))))
  ;; The int64 in the first $end bytes, a multiple of 32 from 32 on, to int32 from 65,536 on. Gives 1 where one may be
  ;; none: its high word does not repeat the sign, or it has a bit of $sign, which is the highest for uint64. What is
  ;; behind the input is looked at too, up to the end of a vector.
  (func (export "toInt32") (param $end i32) (param $sign i32) (result i32)
    (local $at i32) (local $to i32) (local $v v128) (local $w v128) (local $odd v128) (local $bit v128)
    (local.set $bit (i32x4.splat (local.get $sign)))
    (local.set $to (i32.const 65536))
    (loop $next
      (local.set $v
        (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
          (v128.load (local.get $at)) (v128.load offset=16 (local.get $at))))
      (local.set $w
        (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
          (v128.load (local.get $at)) (v128.load offset=16 (local.get $at))))
      (v128.store (local.get $to) (local.get $v))
      (local.set $odd
        (v128.or
          (v128.or (local.get $odd) (v128.and (local.get $v) (local.get $bit)))
          (v128.xor (local.get $w) (i32x4.shr_s (local.get $v) (i32.const 31)))))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 32))) (local.get $end))))
    (v128.any_true (local.get $odd)))
  ;; The int64 in the first $end bytes, a multiple of 16 from 16 on, to float64 from 65,536 on. Gives 1 where one may be
  ;; none that is exact: 2^52 and more, or with a bit of $sign; and for what is behind the input, as toInt32.
  (func (export "toFloat64") (param $end i32) (param $sign i32) (result i32)
    (local $at i32) (local $v v128) (local $high v128) (local $odd v128) (local $bit v128) (local $unit v128)
    (local.set $bit (i32x4.splat (local.get $sign)))
    (local.set $unit (f64x2.splat (f64.const 4294967296)))
    (loop $next
      (local.set $v (v128.load (local.get $at)))
      (local.set $high (i8x16.shuffle 4 5 6 7 12 13 14 15 4 5 6 7 12 13 14 15 (local.get $v) (local.get $v)))
      (v128.store offset=65536 (local.get $at)
        (f64x2.add
          (f64x2.mul (f64x2.convert_low_i32x4_s (local.get $high)) (local.get $unit))
          (f64x2.convert_low_i32x4_u
            (i8x16.shuffle 0 1 2 3 8 9 10 11 0 1 2 3 8 9 10 11 (local.get $v) (local.get $v)))))
      (local.set $odd
        (v128.or
          (v128.or (local.get $odd) (v128.and (local.get $high) (local.get $bit)))
          (i32x4.shr_u (v128.xor (local.get $high) (i32x4.shr_s (local.get $high) (i32.const 31))) (i32.const 20))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    (v128.any_true (local.get $odd)))
)
