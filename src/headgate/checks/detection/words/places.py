"""Countries and large cities, as the languages we know write them. Few, written down by hand."""

from __future__ import annotations

from typing import Final

PLACES: Final = frozenset(
    name.strip()
    for name in """
    Argentina, Australia, Austria, Belgium, Brazil, Canada, Chile, China, Colombia, Denmark, Egypt, Finland, France,
    Germany, Greece, Hungary, India, Indonesia, Ireland, Israel, Italy, Japan, Kenya, Mexico, Morocco, Netherlands,
    New Zealand, Nigeria, Norway, Pakistan, Peru, Philippines, Poland, Portugal, Romania, Russia, Saudi Arabia,
    Scotland, Singapore, South Africa, South Korea, Spain, Sweden, Switzerland, Thailand, Turkey, Ukraine,
    United Kingdom, United States, Vietnam, Wales,
    Deutschland, Österreich, Schweiz, Frankreich, Italien, Spanien, Niederlande, Belgien, Allemagne, Espagne, Italie,
    Suisse, Belgique, Pays-Bas, Alemania, Francia, España, Italia, Países Bajos, Suiza, Germania, Spagna, Svizzera,
    Duitsland, Frankrijk, Spanje, Nederland, België, Alemanha, França, Espanha, Itália, Brasil, Holanda,
    Amsterdam, Athens, Auckland, Bangkok, Barcelona, Berlin, Birmingham, Bogotá, Bologna, Bordeaux, Boston, Brasília,
    Brisbane, Bristol, Brussels, Budapest, Buenos Aires, Chicago, Copenhagen, Dallas, Delhi, Den Haag, Denver, Dortmund,
    Dresden, Dublin, Düsseldorf, Edinburgh, Eindhoven, Firenze, Frankfurt, Genève, Genova, Glasgow, Hamburg, Hannover,
    Helsinki, Hong Kong, Houston, Istanbul, Johannesburg, Köln, Lagos, Leeds, Leipzig, Lille, Lima, Lisboa, Lisbon,
    London, Los Angeles, Lyon, Madrid, Manchester, Marseille, Melbourne, Miami, Milan, Milano, Montréal, Montreal, Moscow,
    Mumbai, Munich, München, Nairobi, Nantes, Napoli, New York, Nice, Nürnberg, Oslo, Palermo, Paris, Philadelphia,
    Phoenix, Porto, Porto Alegre, Prague, Rio de Janeiro, Roma, Rome, Rotterdam, Salvador, San Diego, San Francisco,
    Santiago, São Paulo, Seattle, Seoul, Sevilla, Shanghai, Beijing, Shenzhen, Guangzhou, Stockholm, Strasbourg,
    Stuttgart, Sydney, Tokyo, Torino, Toronto, Toulouse, Utrecht, Valencia, Vancouver, Venezia, Vienna, Warsaw,
    Washington, Wien, Zaragoza, Zürich, Zurich
    """.split(",")
)

PLACES_ZH: Final = (
    "北京|上海|广州|深圳|天津|重庆|成都|杭州|南京|武汉|西安|苏州|青岛|厦门|大连|长沙|郑州|沈阳|济南|合肥|福州|昆明|哈尔滨|"
    "香港|澳门|台北|中国|美国|英国|法国|德国|日本|韩国|意大利|西班牙|荷兰|葡萄牙|巴西"
)
