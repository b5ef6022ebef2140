" Vim syntax file: .net, the models of netdsl.
" Made by `python -m netdsl.highlight` from the grammar and the tables of layers.

if exists("b:current_syntax")
  finish
endif

syntax case match
syntax sync minlines=200
syntax iskeyword @,48-57,_

" -- words of the language, and torch's layers
syntax keyword netControl elif else for if return
syntax match netControl /\<where\>(\@!/
syntax keyword netConstant False None True
syntax keyword netWordOperator and in is not or
syntax match netOwn /\v<%(skip|training)>%(\s*%([(=]|:\s+\S))@!/
syntax keyword netLayer AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d
  \ AdaptiveLogSoftmaxWithLoss AdaptiveMaxPool1d AdaptiveMaxPool2d
  \ AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BCELoss
  \ BCEWithLogitsLoss BatchNorm1d BatchNorm2d BatchNorm3d Bilinear CELU CTCLoss
  \ ChannelShuffle CircularPad1d CircularPad2d CircularPad3d ConstantPad1d
  \ ConstantPad2d ConstantPad3d Conv1d Conv2d Conv3d ConvTranspose1d
  \ ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss CosineSimilarity
  \ CrossEntropyLoss CrossMapLRN2d Dropout Dropout1d Dropout2d Dropout3d ELU
  \ Embedding EmbeddingBag FeatureAlphaDropout Flatten Fold FractionalMaxPool2d
  \ FractionalMaxPool3d GELU GLU GRU GRUCell GaussianNLLLoss GroupNorm Hardshrink
  \ Hardsigmoid Hardswish Hardtanh HingeEmbeddingLoss HuberLoss Identity
  \ InstanceNorm1d InstanceNorm2d InstanceNorm3d KLDivLoss L1Loss LPPool1d
  \ LPPool2d LPPool3d LSTM LSTMCell LayerNorm LeakyReLU Linear
  \ LinearCrossEntropyLoss LocalResponseNorm LogSigmoid LogSoftmax MSELoss
  \ MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d
  \ MaxUnpool3d Mish MultiLabelMarginLoss MultiLabelSoftMarginLoss
  \ MultiMarginLoss MultiheadAttention NLLLoss PReLU PairwiseDistance
  \ PixelShuffle PixelUnshuffle PoissonNLLLoss RMSNorm RNN RNNCell RReLU ReLU
  \ ReLU6 ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d
  \ ReplicationPad2d ReplicationPad3d SELU SiLU Sigmoid SmoothL1Loss
  \ SoftMarginLoss Softmax Softmax2d Softmin Softplus Softshrink Softsign
  \ SyncBatchNorm Tanh Tanhshrink Threshold Transformer TransformerDecoderLayer
  \ TransformerEncoderLayer TripletMarginLoss Unflatten Unfold Upsample
  \ UpsamplingBilinear2d UpsamplingNearest2d ZeroPad1d ZeroPad2d ZeroPad3d
syntax match netType /\v<%(bfloat16|bool|complex128|complex64|float|float16|float32|float64|int|int16|int32|int64|int8|str|uint8)>\(@!/
syntax match netType /\v<%(dict|list|tuple)>\[@=/
syntax match netType /\v%(^)@1<!<net>/

" -- text
syntax match netComment /#.*$/ contains=@Spell
syntax match netEscape /\\\%(x\x\{2}\|u\x\{4}\|U\x\{8}\|.\)/ contained
syntax match netBraces /{{\|}}/ contained
syntax region netHole matchgroup=netHoleBrace start=/{/ end=/}/ end=/$/
  \ contained contains=TOP,netComment
syntax region netString start=/"/ skip=/\\./ end=/"/ end=/$/ contains=netEscape
syntax region netString start=/'/ skip=/\\./ end=/'/ end=/$/ contains=netEscape
syntax region netString start=/\<f"/ skip=/\\./ end=/"/ end=/$/
  \ contains=netEscape,netBraces,netHole
syntax region netString start=/\<f'/ skip=/\\./ end=/'/ end=/$/
  \ contains=netEscape,netBraces,netHole
syntax region netString start=/"""/ skip=/\\./ end=/"""/
  \ contains=netEscape,@Spell
syntax match netNumber /\v<\d[0-9_]*%(\.[0-9_]*)?%([eE][+-]?\d+)?/
syntax match netNumber /\v\.\d[0-9_]*%([eE][+-]?\d+)?/

" -- functions: behind an arrow, as a branch, ahead of a parenthesis
syntax cluster netInPlace contains=netFunction,netLayer,netOwn,netControl,
  \netConstant,netWordOperator,netType
syntax match netOperator /[-+*/%@~=<>!]\+\|\.\.\./
syntax match netOperator /->/ nextgroup=netPlaced,netChoice skipwhite
syntax match netOperator /|/ nextgroup=netPlaced,netChoice skipwhite
syntax match netBrace /{/ nextgroup=netPlaced,netChoice skipwhite
syntax match netPlaced /\v<\h\w*>%(\.\h|\s*:\s)@!/ contained contains=@netInPlace
syntax match netPlaced /\v%(\.)@1<!<\h\w*\ze\(/ contains=@netInPlace
syntax match netPlaced /\v%(\.)@1<!<\h\w*\ze\s*\|/ contains=@netInPlace
syntax match netPlaced /\v^\s+\zs\h\w*\ze\s*\}/ contains=@netInPlace
syntax region netChoice start=/(/ end=/)/ contained transparent
  \ contains=ALLBUT,netEscape,netBraces,netHole
syntax match netLabel /\v%([A-Za-z0-9_.])@1<!\h\w*%(\.\h\w*)*\ze\s*:\s+\S/

" -- statements
syntax match netHead /\v^%(net%([ \t])@=|fn%([ \t])@=|extern%([ \t])@=|expect%([ \t])@=|from%([ \t])@=|let%([ \t]+%(%(if|and|or|in|is|not|for|else)>)@![A-Za-z_])@=)/
syntax match netHead /\v%(^\s+)@<=<%(input%([ \t]+%(%(if|and|or|in|is|not|for|else)>)@![A-Za-z_])@=|param%([ \t]+%(%(if|and|or|in|is|not|for|else)>)@![A-Za-z_])@=|buffer%([ \t]+%(%(if|and|or|in|is|not|for|else)>)@![A-Za-z_])@=|init%([ \t]+%(%(if|and|or|in|is|not|for|else)>)@![A-Za-z_"'])@=|let%([ \t]+%(%(if|and|or|in|is|not|for|else)>)@![A-Za-z_])@=|tie%([ \t]+%(%(if|and|or|in|is|not|for|else)>)@![A-Za-z_])@=)/
syntax match netHead /\v%(^expect .*)@<=<params%([ \t]*\=\=)@=/
syntax match netHead /\v%(^from .*)@<=<%(import%([ \t])@=|as%([ \t])@=)/
syntax match netDefinition /\v%(^%(net|fn|extern)\s+)@<=\h\w*/
syntax match netFunction /\v%(\=\s?)@3<=<%(constant|dirac|eye|kaiming_normal|kaiming_uniform|normal|ones|orthogonal|sparse|trunc_normal|uniform|xavier_normal|xavier_uniform|zeros)>\(@!/

" -- torch's functions
syntax keyword netFunction contained abs acos acosh adaptive_avg_pool1d
  \ adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
  \ adaptive_max_pool2d adaptive_max_pool3d add addbmm addcdiv addcmul addmm
  \ addmv addr adjoint affine_grid all alpha_dropout amax amin aminmax angle any
  \ arange argmax argmin argsort asin asinh atan atan2 atanh avg_pool1d
  \ avg_pool2d avg_pool3d baddbmm bartlett_window batch_norm bernoulli bilinear
  \ binary_cross_entropy binary_cross_entropy_with_logits bitwise_and
  \ bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor
  \ blackman_window bmm broadcast_to bucketize byte calculate_gain cartesian_prod
  \ cat cdist ceil celu channel_shuffle char chunk clamp clamp_max clamp_min clip
  \ clone column_stack combinations complex conj constant contiguous conv1d
  \ conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d
  \ copysign corrcoef cos cosh cosine_embedding_loss cosine_similarity
  \ count_nonzero cov cross cross_entropy ctc_loss cummax cummin cumprod cumsum
  \ deg2rad det detach diag diag_embed diagflat diagonal diagonal_scatter diff
  \ digamma dirac dist div dot double dropout dropout1d dropout2d dropout3d
  \ dsplit dstack einsum elu embedding embedding_bag enumerate eq erf erfc erfinv
  \ exp exp2 expand expand_as expm1 eye feature_alpha_dropout flatten flip fliplr
  \ flipud float_power floor floor_divide fmax fmin fmod fold frac
  \ fractional_max_pool2d fractional_max_pool3d full full_like gather
  \ gaussian_nll_loss gcd ge gelu glu grid_sample group_norm grouped_mm gt
  \ gumbel_softmax half hamming_window hann_window hardshrink hardsigmoid
  \ hardswish hardtanh heaviside hinge_embedding_loss histc hsplit hstack
  \ huber_loss hypot i0 igamma igammac imag index_add index_copy index_fill
  \ index_put index_reduce index_select inner instance_norm interpolate inverse
  \ isclose isfinite isin isinf isnan isneginf isposinf isreal istft
  \ kaiming_normal kaiming_uniform kaiser_window kl_div kron kthvalue l1_loss
  \ layer_norm lcm ldexp le leaky_relu len lerp lgamma linear
  \ linear_cross_entropy linspace local_response_norm log log10 log1p log2
  \ log_softmax logaddexp logaddexp2 logcumsumexp logdet logical_and logical_not
  \ logical_or logical_xor logit logsigmoid logspace logsumexp long lp_pool1d
  \ lp_pool2d lp_pool3d lt margin_ranking_loss masked_fill masked_scatter matmul
  \ matrix_exp matrix_power max max_pool1d max_pool2d max_pool3d max_unpool1d
  \ max_unpool2d max_unpool3d maximum mean median meshgrid min minimum mish mm
  \ mode movedim mse_loss msort mul multi_margin_loss multilabel_margin_loss
  \ multilabel_soft_margin_loss multinomial mv mvlgamma nan_to_num nanmean
  \ nanmedian nanquantile nansum narrow ne neg new_full new_ones new_zeros
  \ nextafter nll_loss nonzero_static norm normal normalize one_hot ones
  \ ones_like orthogonal outer pad pairwise_distance pdist permute pinverse
  \ pixel_shuffle pixel_unshuffle poisson poisson_nll_loss polar polygamma
  \ positive pow prelu prod put quantile rad2deg rand rand_like randint
  \ randint_like randn randn_like randperm range ravel real reciprocal relu relu6
  \ remainder renorm repeat repeat_interleave reshape reshape_as reversed
  \ rms_norm roll rot90 round rrelu rsqrt scaled_dot_product_attention scatter
  \ scatter_add scatter_reduce searchsorted select select_scatter selu sgn short
  \ sigmoid sign signbit silu sin sinc sinh slice_scatter slogdet smooth_l1_loss
  \ soft_margin_loss softmax softmin softplus softshrink softsign sort sparse
  \ split sqrt square squeeze stack std std_mean stft sub sum swapaxes swapdims t
  \ take take_along_dim tan tanh tanhshrink tensor tensor_split tensordot
  \ threshold tile to topk trace transpose trapezoid tril tril_indices
  \ triplet_margin_loss triu triu_indices trunc trunc_normal type_as unbind
  \ unflatten unfold uniform unsqueeze vander var var_mean vdot view view_as
  \ view_as_complex view_as_real vsplit vstack where xavier_normal xavier_uniform
  \ xlogy zeros zeros_like zip
syntax match netFunction /\v<%(bfloat16|bool|float|int|list|str|tuple)>\(@=/
syntax match netFunction /\v%(-\>\s?)@3<=<%(bfloat16|bool|float|int|list|str|tuple)>/
syntax match netFunction /\v<Tensor\.%(unfold)>/
syntax match netFunction /\v<fft\.%(fft|fft2|fftfreq|fftn|fftshift|hfft|hfft2|hfftn|ifft|ifft2|ifftn|ifftshift|ihfft|ihfft2|ihfftn|irfft|irfft2|irfftn|rfft|rfft2|rfftfreq|rfftn)>/
syntax match netFunction /\v<linalg\.%(cholesky|cond|cross|det|eig|eigh|eigvals|eigvalsh|inv|lu|matrix_exp|matrix_norm|matrix_power|matrix_rank|multi_dot|norm|pinv|qr|slogdet|solve|solve_triangular|svd|svdvals|vecdot|vector_norm)>/
syntax match netFunction /\v<special\.%(bessel_j0|bessel_j1|entr|erfcx|i0e|i1|i1e|log_ndtr|ndtr|ndtri|xlog1py|zeta)>/

highlight default link netComment Comment
highlight default link netString String
highlight default link netEscape SpecialChar
highlight default link netBraces SpecialChar
highlight default link netHoleBrace Special
highlight default link netNumber Number
highlight default link netHead Keyword
highlight default link netControl Conditional
highlight default link netConstant Constant
highlight default link netWordOperator Operator
highlight default link netOperator Operator
highlight default link netOwn Special
highlight default link netType Type
highlight default link netLayer Structure
highlight default link netFunction Function
highlight default link netDefinition Identifier
highlight default link netLabel Label

let b:current_syntax = "net"
