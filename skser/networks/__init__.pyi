from ._architectures import NetworkMeta as NetworkMeta
from ._architectures import cnn256 as cnn256
from ._architectures import cnn512 as cnn512
from ._architectures import cnn_average_pooling as cnn_average_pooling
from ._architectures import cnn_bilstm_attention as cnn_bilstm_attention
from ._architectures import dense as dense
from ._architectures import resnet as resnet
