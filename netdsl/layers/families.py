"""Which module declares which layers and which functions; a test keeps it true."""

FAMILIES: dict[str, tuple[str, str]] = {
    "activation": (
        "ReLU ReLU6 Threshold Hardtanh Tanh Sigmoid Softsign Tanhshrink GELU SiLU "
        "Mish LeakyReLU RReLU ELU SELU CELU Softplus LogSigmoid Hardswish "
        "Hardsigmoid Hardshrink Softshrink Softmax LogSoftmax Softmin Softmax2d GLU "
        "PReLU",
        "",
    ),
    "arithmetic": (
        "",
        "+ - * / // % ** == != < <= > >= add mul eq ne lt le gt ge floor_divide "
        "remainder fmod sub div pow maximum minimum atan2 logical_and logical_or "
        "logical_xor clamp clip clamp_min clamp_max where masked_fill lerp addcmul "
        "addcdiv fmax fmin hypot logaddexp logaddexp2 nextafter ldexp gcd lcm copysign "
        "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift "
        "heaviside float_power isclose",
    ),
    "attention": (
        "MultiheadAttention TransformerEncoderLayer TransformerDecoderLayer "
        "Transformer",
        "",
    ),
    "casting": (
        "",
        "to type_as float double half bfloat16 long int bool detach clone "
        "short char byte view_as_complex view_as_real polar complex",
    ),
    "comparing": (
        "",
        "cosine_similarity pairwise_distance cdist pdist mse_loss l1_loss "
        "smooth_l1_loss huber_loss binary_cross_entropy "
        "binary_cross_entropy_with_logits cross_entropy nll_loss kl_div",
    ),
    "convolution": (
        "Conv1d ConvTranspose1d Conv2d ConvTranspose2d Conv3d ConvTranspose3d",
        "",
    ),
    "criteria": (
        "MarginRankingLoss HingeEmbeddingLoss SoftMarginLoss CosineEmbeddingLoss "
        "TripletMarginLoss MultiMarginLoss MultiLabelMarginLoss "
        "MultiLabelSoftMarginLoss PoissonNLLLoss GaussianNLLLoss CTCLoss "
        "LinearCrossEntropyLoss AdaptiveLogSoftmaxWithLoss",
        "margin_ranking_loss hinge_embedding_loss soft_margin_loss "
        "cosine_embedding_loss triplet_margin_loss multi_margin_loss "
        "multilabel_margin_loss multilabel_soft_margin_loss poisson_nll_loss "
        "gaussian_nll_loss ctc_loss linear_cross_entropy",
    ),
    "creation": (
        "",
        "zeros ones rand randn zeros_like ones_like full_like rand_like randn_like "
        "new_zeros new_ones new_full full eye arange linspace tensor randint "
        "bernoulli multinomial logspace randperm randint_like poisson",
    ),
    "diagonals": (
        "",
        "diag diagflat diag_embed trace rot90 fliplr flipud ravel adjoint "
        "tril_indices triu_indices vander "
        "Tensor.unfold",
    ),
    "distance": (
        "CosineSimilarity PairwiseDistance",
        "",
    ),
    "dropout": (
        "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout",
        "",
    ),
    "einsum": (
        "",
        "einsum",
    ),
    "embedding": (
        "Embedding EmbeddingBag",
        "",
    ),
    "fourier": (
        "",
        "fft.fft fft.fft2 fft.fftn fft.ifft fft.ifft2 fft.ifftn fft.rfft "
        "fft.rfft2 fft.rfftn fft.irfft fft.irfft2 fft.irfftn fft.hfft fft.hfft2 "
        "fft.hfftn fft.ihfft fft.ihfft2 fft.ihfftn fft.fftshift fft.ifftshift "
        "fft.fftfreq fft.rfftfreq stft istft hann_window hamming_window "
        "blackman_window bartlett_window kaiser_window",
    ),
    "functional": (
        "",
        "linear bilinear conv1d conv_transpose1d conv2d conv_transpose2d conv3d "
        "conv_transpose3d conv_tbc batch_norm instance_norm layer_norm rms_norm "
        "group_norm local_response_norm normalize embedding embedding_bag prelu glu",
    ),
    "joining": (
        "",
        "cat stack split chunk tensor_split unbind meshgrid",
    ),
    "linear": (
        "Linear Bilinear Identity",
        "",
    ),
    "losses": (
        "L1Loss MSELoss SmoothL1Loss HuberLoss KLDivLoss BCELoss BCEWithLogitsLoss "
        "CrossEntropyLoss NLLLoss",
        "",
    ),
    "matrices": (
        "",
        "addbmm addmv addr inner vdot kron tensordot cross grouped_mm inverse det "
        "logdet slogdet pinverse matrix_power matrix_exp linalg.inv linalg.det "
        "linalg.slogdet linalg.pinv linalg.matrix_power linalg.matrix_exp "
        "linalg.matrix_rank linalg.cond linalg.cholesky linalg.qr linalg.svd "
        "linalg.svdvals linalg.lu linalg.eigh linalg.eigvalsh linalg.eig "
        "linalg.eigvals linalg.solve linalg.solve_triangular linalg.cross "
        "linalg.vecdot linalg.multi_dot",
    ),
    "normalization": (
        "BatchNorm1d InstanceNorm1d BatchNorm2d InstanceNorm2d BatchNorm3d "
        "InstanceNorm3d SyncBatchNorm GroupNorm LayerNorm RMSNorm LocalResponseNorm "
        "CrossMapLRN2d",
        "",
    ),
    "norms": (
        "",
        "renorm linalg.norm linalg.vector_norm linalg.matrix_norm",
    ),
    "padding": (
        "ConstantPad1d ZeroPad1d ReflectionPad1d ReplicationPad1d CircularPad1d "
        "ConstantPad2d ZeroPad2d ReflectionPad2d ReplicationPad2d CircularPad2d "
        "ConstantPad3d ZeroPad3d ReflectionPad3d ReplicationPad3d CircularPad3d",
        "",
    ),
    "pointwise": (
        "",
        "gelu silu mish softplus elu selu celu leaky_relu hardswish hardsigmoid "
        "logsigmoid hardshrink softshrink rrelu relu relu6 hardtanh threshold "
        "softsign tanhshrink dropout alpha_dropout feature_alpha_dropout dropout1d "
        "dropout2d dropout3d sigmoid tanh exp exp2 expm1 log log1p log2 log10 sin "
        "cos tan asin acos atan sinh cosh asinh acosh atanh erf erfc erfinv sqrt "
        "rsqrt reciprocal sinc deg2rad lgamma logit floor ceil trunc neg abs frac "
        "round sign square isnan isinf isfinite logical_not angle real imag conj sgn "
        "positive bitwise_not signbit isposinf isneginf isreal rad2deg",
    ),
    "pooling": (
        "MaxPool1d AvgPool1d LPPool1d AdaptiveAvgPool1d AdaptiveMaxPool1d "
        "MaxUnpool1d MaxPool2d AvgPool2d LPPool2d AdaptiveAvgPool2d "
        "AdaptiveMaxPool2d MaxUnpool2d FractionalMaxPool2d MaxPool3d AvgPool3d "
        "LPPool3d AdaptiveAvgPool3d AdaptiveMaxPool3d MaxUnpool3d "
        "FractionalMaxPool3d",
        "",
    ),
    "products": (
        "",
        "@ matmul mm bmm mv dot outer addmm baddbmm scaled_dot_product_attention",
    ),
    "rearranging": (
        "",
        "transpose swapaxes swapdims t permute movedim contiguous roll flip tril "
        "triu diagonal pixel_shuffle pixel_unshuffle channel_shuffle",
    ),
    "recurrent": (
        "RNN RNNCell GRU GRUCell LSTM LSTMCell",
        "",
    ),
    "reduction": (
        "",
        "mean sum prod amax amin max min median argmax argmin any all std var norm "
        "logsumexp cumsum cumprod softmax log_softmax softmin gumbel_softmax",
    ),
    "resampling": (
        "Flatten Unflatten Unfold Fold PixelShuffle PixelUnshuffle ChannelShuffle "
        "Upsample UpsamplingNearest2d UpsamplingBilinear2d",
        "",
    ),
    "reshaping": (
        "",
        "view reshape view_as reshape_as flatten unflatten squeeze unsqueeze expand "
        "expand_as broadcast_to repeat tile repeat_interleave",
    ),
    "sampling": (
        "",
        "max_pool1d avg_pool1d lp_pool1d adaptive_avg_pool1d adaptive_max_pool1d "
        "max_pool2d avg_pool2d lp_pool2d adaptive_avg_pool2d adaptive_max_pool2d "
        "max_pool3d avg_pool3d lp_pool3d adaptive_avg_pool3d adaptive_max_pool3d "
        "max_unpool1d max_unpool2d max_unpool3d fractional_max_pool2d "
        "fractional_max_pool3d unfold fold pad interpolate grid_sample affine_grid",
    ),
    "scattering": (
        "",
        "index_copy index_fill index_put masked_scatter put take select_scatter "
        "slice_scatter diagonal_scatter searchsorted bucketize isin msort "
        "nonzero_static",
    ),
    "selecting": (
        "",
        "select narrow gather scatter scatter_add scatter_reduce index_select "
        "index_add index_reduce take_along_dim topk sort argsort one_hot",
    ),
    "special": (
        "",
        "digamma i0 special.bessel_j0 special.bessel_j1 special.entr special.erfcx "
        "special.i0e special.i1 special.i1e special.log_ndtr special.ndtr "
        "special.ndtri polygamma mvlgamma xlogy special.xlog1py special.zeta igamma "
        "igammac nan_to_num",
    ),
    "stacking": (
        "",
        "hstack vstack dstack column_stack cartesian_prod combinations "
        "hsplit vsplit dsplit",
    ),
    "statistics": (
        "",
        "mode kthvalue nansum nanmean nanmedian quantile nanquantile std_mean var_mean "
        "aminmax count_nonzero cummax cummin logcumsumexp diff dist cov corrcoef histc "
        "trapezoid",
    ),
}
